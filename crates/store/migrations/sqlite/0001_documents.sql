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

-- How many there are, so that nothing has to count them. `kind` is the resource type: 1 = Binary.
CREATE TABLE tally (
    tenant    INTEGER NOT NULL REFERENCES tenant,
    kind      INTEGER NOT NULL,
    documents INTEGER NOT NULL DEFAULT 0, -- current and not deleted
    versions  INTEGER NOT NULL DEFAULT 0, -- of all documents, deletions included
    PRIMARY KEY (tenant, kind)
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
    key          INTEGER PRIMARY KEY,
    tenant       INTEGER NOT NULL REFERENCES tenant,
    kind         INTEGER NOT NULL,
    id           TEXT NOT NULL,
    current      INTEGER NOT NULL, -- a sequence of version
    updated_ms   INTEGER,
    size_bytes   INTEGER,
    content_type TEXT,
    essence      TEXT,
    UNIQUE (tenant, kind, id)
) STRICT;

CREATE INDEX document_updated ON document (tenant, kind, updated_ms, id) WHERE updated_ms IS NOT NULL;
CREATE INDEX document_size    ON document (tenant, kind, size_bytes, id) WHERE updated_ms IS NOT NULL;
CREATE INDEX document_type    ON document (tenant, kind, essence, id)    WHERE updated_ms IS NOT NULL;

-- One row a version, in the order of commits. AUTOINCREMENT: a number never comes again.
CREATE TABLE version (
    sequence         INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant           INTEGER NOT NULL REFERENCES tenant,
    kind             INTEGER NOT NULL,
    document         INTEGER NOT NULL REFERENCES document,
    version          INTEGER NOT NULL CHECK (version > 0),
    updated_ms       INTEGER NOT NULL,
    change           INTEGER NOT NULL CHECK (change BETWEEN 1 AND 3), -- created, updated, deleted
    content_type     TEXT,
    content          INTEGER REFERENCES content,
    security_context TEXT,
    labels           TEXT, -- JSON; NULL when there are none
    source_dialect   TEXT,
    source_body      TEXT,
    UNIQUE (document, version),
    CHECK ((change = 3) = (content IS NULL)),
    CHECK ((content IS NULL) = (content_type IS NULL)),
    CHECK ((source_dialect IS NULL) = (source_body IS NULL))
) STRICT;

CREATE INDEX version_tenant  ON version (tenant, kind); -- and by sequence, as every index
CREATE INDEX version_updated ON version (tenant, kind, updated_ms);
CREATE INDEX version_content ON version (content) WHERE content IS NOT NULL;

-- Labels of current versions, for searches: 1 = security, 2 = tag, 3 = profile. What is absent is ''.
CREATE TABLE label (
    document INTEGER NOT NULL REFERENCES document ON DELETE CASCADE,
    which    INTEGER NOT NULL,
    system   TEXT NOT NULL,
    code     TEXT NOT NULL,
    folded   TEXT NOT NULL, -- the code in lower case
    tenant   INTEGER NOT NULL,
    PRIMARY KEY (document, which, system, code)
) STRICT, WITHOUT ROWID;

CREATE INDEX label_code   ON label (tenant, which, folded, system);
CREATE INDEX label_system ON label (tenant, which, system);
