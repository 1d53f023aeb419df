-- Times are milliseconds since 1970-01-01T00:00:00Z, sizes are bytes. Texts are compared byte by byte: COLLATE "C".
-- Keys are taken from sequences by the nodes, several at a time.

-- What the store knows about itself: `secret`, 32 random bytes.
CREATE TABLE setting (
    name  text PRIMARY KEY,
    value bytea NOT NULL
);

CREATE TABLE tenant (
    key  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE
);

-- Resource types, as numbers.
CREATE TABLE kind (
    key  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE
);

INSERT INTO kind (name) VALUES ('Binary'); -- 1

-- How many there are, so that nothing has to count them. `dialect` is that of the source, '' without one.
CREATE TABLE tally (
    tenant    bigint NOT NULL,
    kind      bigint NOT NULL,
    dialect   text COLLATE "C" NOT NULL,
    documents bigint NOT NULL, -- current and not deleted
    versions  bigint NOT NULL, -- of all documents, deletions included
    PRIMARY KEY (tenant, kind, dialect)
) WITH (fillfactor = 50); -- changed by each commit, beside where it was

CREATE SEQUENCE content_key;

-- Bytes, once within a tenant: in the row, or under this key of the content store.
CREATE TABLE content (
    key        bigint PRIMARY KEY,
    tenant     bigint NOT NULL,
    size_bytes bigint NOT NULL CHECK (size_bytes > 0),
    digest     bytea NOT NULL CHECK (length(digest) = 32),
    file       text COLLATE "C" UNIQUE,
    bytes      bytea,
    UNIQUE (tenant, digest),
    CHECK ((file IS NULL) <> (bytes IS NULL))
);

ALTER TABLE content ALTER COLUMN bytes SET STORAGE EXTERNAL; -- documents are rarely worth packing again

-- Contents that may have lost their last reference; a sweep looks at these alone.
CREATE TABLE doubtful (
    content bigint PRIMARY KEY REFERENCES content ON DELETE CASCADE
);

-- Keys of the content store whose record is gone and that are still to be removed, so that a sweep that was cut
-- off is known to have begun.
CREATE TABLE trash (
    file text COLLATE "C" PRIMARY KEY
);

-- Keys of the content store under which there is to be something that no record names yet. Whoever takes one out of
-- here has it: the commit that names it, or a sweep.
CREATE TABLE announced (
    file  text COLLATE "C" PRIMARY KEY,
    since timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE SEQUENCE document_key;

-- One row a document. The columns behind `current` repeat its current version for searches and are
-- NULL when the document is deleted; a check compares them and a repair derives them again. `current`
-- is no foreign key, as the version comes after the document that it refers to; nor are `tenant` and `kind`, whose few
-- rows every write would lock.
CREATE TABLE document (
    key          bigint PRIMARY KEY,
    tenant       bigint NOT NULL,
    kind         bigint NOT NULL,
    id           text COLLATE "C" NOT NULL,
    current      bigint NOT NULL, -- a sequence of version
    updated_ms   bigint,
    dialect      text COLLATE "C", -- '' without a source
    size_bytes   bigint, -- this and what follows: of a Binary alone
    content_type text COLLATE "C",
    essence      text COLLATE "C"
);

CREATE UNIQUE INDEX document_id ON document (tenant, kind, id);
CREATE INDEX document_updated ON document (tenant, kind, updated_ms, id, dialect) WHERE updated_ms IS NOT NULL;
CREATE INDEX document_size    ON document (tenant, kind, size_bytes, id)          WHERE size_bytes IS NOT NULL;
CREATE INDEX document_type    ON document (tenant, kind, essence, id)             WHERE essence IS NOT NULL;

CREATE SEQUENCE version_sequence;

-- One row a version. Sequence numbers are taken under the tenant's lock, so that within a tenant they have the order
-- of commits; a number never comes again.
CREATE TABLE version (
    sequence         bigint PRIMARY KEY,
    tenant           bigint NOT NULL,
    kind             bigint NOT NULL,
    document         bigint NOT NULL REFERENCES document,
    version          bigint NOT NULL CHECK (version > 0),
    updated_ms       bigint NOT NULL,
    content          bigint REFERENCES content,
    change           smallint NOT NULL CHECK (change BETWEEN 1 AND 3), -- created, updated, deleted
    dialect          text COLLATE "C" NOT NULL, -- of the source; '' without one. A deletion has that of the version before
    content_type     text COLLATE "C",
    security_context text COLLATE "C",
    labels           text COLLATE "C", -- JSON; NULL when there are none
    custody          text COLLATE "C", -- JSON; NULL when there is nothing to say
    writer           text COLLATE "C",
    source           text COLLATE "C", -- what the client sent, as JSON
    UNIQUE (document, version),
    CHECK ((kind = 1 AND change <> 3) = (content IS NOT NULL)),
    CHECK ((content IS NULL) = (content_type IS NULL)),
    CHECK (kind = 1 OR (change = 3) = (source IS NULL)),
    CHECK (source IS NULL OR dialect <> '')
);

CREATE INDEX version_kind    ON version (tenant, kind, dialect, sequence);
CREATE INDEX version_updated ON version (tenant, kind, dialect, updated_ms);
CREATE INDEX version_content ON version (content) WHERE content IS NOT NULL;

-- Search parameters, as numbers: those of one tenant, type and dialect whose values have one shape. So an
-- entry says by its parameter alone whose it is. What the other columns mean depends on the shape:
--
--              value                 second                   third
--   1 token     code in lower case    its system, 0 = none     the code unless it is in lower case
--   2 reference id                    type
--   3 text      folded                                         as it is unless folded
--   4 uri       the URI
--   5 date      start                 end                      of at most a day
--   6 date      start                 end                      longer, of at most 400 days
--   7 date      start                 end                      longer
--   8 quantity  least                 greatest                 unit, 0 = none
--
-- All are texts. Times and quantities have 16 hexadecimal digits whose order is theirs; the numbers of systems, types
-- and units are decimal. An index takes no more than 2,700 bytes: of a longer value stand its beginning and its digest
-- here, and all of it in `whole`. The names of systems and units are cut off alike.
CREATE TABLE parameter (
    key     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- given in the order of commits
    tenant  bigint NOT NULL REFERENCES tenant,
    kind    bigint NOT NULL REFERENCES kind,
    dialect text COLLATE "C" NOT NULL, -- of the document's source
    name    text COLLATE "C" NOT NULL,
    shape   smallint NOT NULL CHECK (shape BETWEEN 1 AND 8),
    UNIQUE (tenant, kind, name, dialect, shape)
);

CREATE INDEX parameter_key ON parameter (tenant, key);

-- Code systems, as numbers.
CREATE TABLE system (
    key  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE
);

-- Units of quantities, as numbers. What is absent is ''.
CREATE TABLE unit (
    key    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code   text COLLATE "C" NOT NULL,
    system text COLLATE "C" NOT NULL,
    UNIQUE (code, system)
);

-- What current, undeleted documents are found by. Labels are entries of the parameters `meta.security`,
-- `meta.tag` and `meta.profile`, and what access is decided by of `custody.…`; a repair derives these again. Nothing
-- refers to an entry and it refers to nothing by a foreign key: that would be a lookup for each of millions; a check
-- looks at all.
CREATE TABLE entry (
    document  bigint NOT NULL,
    parameter bigint NOT NULL,
    sequence  bigint NOT NULL, -- of the current version
    number    integer NOT NULL, -- tells entries of one document and parameter apart
    part      integer NOT NULL, -- components of one value of a composite parameter share it; else 0
    value     text COLLATE "C" NOT NULL,
    second    text COLLATE "C",
    third     text COLLATE "C",
    whole     text COLLATE "C", -- the value, where it is longer
    PRIMARY KEY (document, parameter, number)
);

CREATE INDEX entry_value ON entry (parameter, value, second) INCLUDE (document);

-- The Binaries that versions, current or not, name as their content.
CREATE TABLE link (
    tenant   bigint NOT NULL,
    sequence bigint NOT NULL, -- of the version that names it
    version  bigint NOT NULL, -- of the Binary; -1 = whichever is current
    document bigint NOT NULL,
    in_error boolean NOT NULL,
    "binary" text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, "binary", sequence, version)
);

CREATE INDEX link_document ON link (document);
