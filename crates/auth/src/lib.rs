//! Who may do what. One function decides; deny by default. No I/O.
