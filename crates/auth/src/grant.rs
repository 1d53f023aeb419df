//! What a caller is allowed.

/// What the caller of one request is allowed. Only this crate makes one.
#[derive(Debug, Clone)]
pub struct Grant(Kind);

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// Everything in the tenant: an open endpoint, or the operator at the command line.
    Everything,
    /// Nothing.
    Nothing,
}

impl Grant {
    /// The grant of everyone who calls an endpoint that the operator declared open.
    #[must_use]
    pub const fn of_open_endpoint() -> Self {
        Self(Kind::Everything)
    }

    /// The grant of the operator, who has the data directory in hand anyway.
    #[must_use]
    pub const fn of_operator() -> Self {
        Self(Kind::Everything)
    }

    /// The grant of someone who has shown nothing.
    #[must_use]
    pub const fn of_nobody() -> Self {
        Self(Kind::Nothing)
    }

    pub(crate) const fn kind(&self) -> &Kind {
        &self.0
    }
}
