-- Times are milliseconds since 1970-01-01T00:00:00Z, sizes are bytes.

-- What the store knows about itself: `secret`, 32 random bytes.
CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tenant (
    key  INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- Resource types, as numbers.
CREATE TABLE kind (
    key  INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

INSERT INTO kind (key, name) VALUES (1, 'Binary');

-- How many there are, so that nothing has to count them. `dialect` is that of the source, '' without one.
CREATE TABLE tally (
    tenant    INTEGER NOT NULL REFERENCES tenant,
    kind      INTEGER NOT NULL REFERENCES kind,
    dialect   TEXT NOT NULL,
    documents INTEGER NOT NULL DEFAULT 0, -- current and not deleted
    versions  INTEGER NOT NULL DEFAULT 0, -- of all documents, deletions included
    PRIMARY KEY (tenant, kind, dialect)
) STRICT, WITHOUT ROWID;

-- Bytes, once within a tenant: in the row, or in a file of this name below `content/`.
-- `bytes` stands last, so that the other columns are read without it.
CREATE TABLE content (
    key        INTEGER PRIMARY KEY,
    tenant     INTEGER NOT NULL REFERENCES tenant,
    digest     BLOB NOT NULL CHECK (length(digest) = 32),
    size_bytes INTEGER NOT NULL CHECK (size_bytes > 0),
    file       TEXT UNIQUE,
    bytes      BLOB,
    UNIQUE (tenant, digest),
    CHECK ((file IS NULL) <> (bytes IS NULL))
) STRICT;

-- Contents that may have lost their last reference; a sweep looks at these alone.
CREATE TABLE doubtful (
    content INTEGER PRIMARY KEY REFERENCES content ON DELETE CASCADE
) STRICT;

-- Files whose record is gone and that are still to be removed, so that a sweep that was cut off is
-- known to have begun.
CREATE TABLE trash (
    file TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- One row a document. The columns behind `current` repeat its current version for searches and are
-- NULL when the document is deleted; a check compares them and a repair derives them again. `current`
-- is no foreign key: for one, every new version would search all documents for whoever waited for it.
CREATE TABLE document (
    key          INTEGER PRIMARY KEY, -- those of one patient's documents follow each other
    tenant       INTEGER NOT NULL REFERENCES tenant,
    kind         INTEGER NOT NULL REFERENCES kind,
    id           TEXT NOT NULL,
    current      INTEGER NOT NULL, -- a sequence of version
    updated_ms   INTEGER,
    dialect      TEXT, -- '' without a source
    size_bytes   INTEGER, -- this and what follows: of a Binary alone
    content_type TEXT,
    essence      TEXT
) STRICT;

CREATE UNIQUE INDEX document_id ON document (tenant, kind, id);
CREATE INDEX document_updated ON document (tenant, kind, updated_ms, id, dialect) WHERE updated_ms IS NOT NULL;
CREATE INDEX document_size    ON document (tenant, kind, size_bytes, id)          WHERE size_bytes IS NOT NULL;
CREATE INDEX document_type    ON document (tenant, kind, essence, id)             WHERE essence IS NOT NULL;

-- One row a version, in the order of commits. AUTOINCREMENT: a number never comes again.
CREATE TABLE version (
    sequence         INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant           INTEGER NOT NULL REFERENCES tenant,
    kind             INTEGER NOT NULL REFERENCES kind,
    dialect          TEXT NOT NULL, -- of the source; '' without one. A deletion has that of the version before
    document         INTEGER NOT NULL REFERENCES document,
    version          INTEGER NOT NULL CHECK (version > 0),
    updated_ms       INTEGER NOT NULL,
    change           INTEGER NOT NULL CHECK (change BETWEEN 1 AND 3), -- created, updated, deleted
    content_type     TEXT,
    content          INTEGER REFERENCES content,
    security_context TEXT,
    labels           TEXT, -- JSON; NULL when there are none
    custody          TEXT, -- JSON; NULL when there is nothing to say
    writer           TEXT,
    source           TEXT, -- what the client sent, as JSON
    UNIQUE (document, version),
    CHECK ((kind = 1 AND change <> 3) = (content IS NOT NULL)),
    CHECK ((content IS NULL) = (content_type IS NULL)),
    CHECK (kind = 1 OR (change = 3) = (source IS NULL)),
    CHECK (source IS NULL OR dialect <> '')
) STRICT;

CREATE INDEX version_kind    ON version (tenant, kind, dialect); -- and by sequence, as every index
CREATE INDEX version_updated ON version (tenant, kind, dialect, updated_ms);
CREATE INDEX version_content ON version (content) WHERE content IS NOT NULL;

-- Search parameters, as numbers: those of one tenant, type and dialect whose values have one shape. So an
-- entry says by its parameter alone whose it is. What the other columns mean depends on the shape:
--
--              value                 second                   third
--   1 token     code in lower case    its system, 0 = none     the code unless it is in lower case
--   2 reference id                    type
--   3 text      folded                as it is unless folded
--   4 uri       the URI
--   5 date      start                 end                      of at most a day
--   6 date      start                 end                      longer, of at most 400 days
--   7 date      start                 end                      longer
--   8 quantity  least                 greatest                 unit, 0 = none
CREATE TABLE parameter (
    key     INTEGER PRIMARY KEY,
    tenant  INTEGER NOT NULL REFERENCES tenant,
    kind    INTEGER NOT NULL REFERENCES kind,
    dialect TEXT NOT NULL, -- of the document's source
    name    TEXT NOT NULL,
    shape   INTEGER NOT NULL CHECK (shape BETWEEN 1 AND 8),
    UNIQUE (tenant, kind, name, dialect, shape)
) STRICT;

-- Code systems, as numbers.
CREATE TABLE system (
    key  INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- Units of quantities, as numbers. What is absent is ''.
CREATE TABLE unit (
    key    INTEGER PRIMARY KEY,
    code   TEXT NOT NULL,
    system TEXT NOT NULL,
    UNIQUE (code, system)
) STRICT;

-- What current, undeleted documents are found by. Labels are entries of the parameters `meta.security`,
-- `meta.tag` and `meta.profile`, and what access is decided by of `custody.…`; a repair derives these again. Nothing refers to an entry and it refers to
-- nothing by a foreign key: that would be a lookup for each of millions; a check looks at all.
CREATE TABLE entry (
    document  INTEGER NOT NULL,
    parameter INTEGER NOT NULL,
    number    INTEGER NOT NULL, -- tells entries of one document and parameter apart
    part      INTEGER NOT NULL, -- components of one value of a composite parameter share it; else 0
    value     ANY NOT NULL,
    second    ANY,
    third     ANY,
    sequence  INTEGER NOT NULL, -- of the current version
    PRIMARY KEY (document, parameter, number)
) STRICT, WITHOUT ROWID;

-- What has the same value stands in the order of its arrival, so that new entries go to few places: to the ends.
CREATE INDEX entry_value ON entry (parameter, value, second, third, sequence, document);

-- The Binaries that versions, current or not, name as their content.
CREATE TABLE link (
    tenant   INTEGER NOT NULL,
    binary   TEXT NOT NULL,
    sequence INTEGER NOT NULL, -- of the version that names it
    version  INTEGER NOT NULL, -- of the Binary; -1 = whichever is current
    in_error INTEGER NOT NULL,
    document INTEGER NOT NULL,
    PRIMARY KEY (tenant, binary, sequence, version)
) STRICT, WITHOUT ROWID;

CREATE INDEX link_document ON link (document);
