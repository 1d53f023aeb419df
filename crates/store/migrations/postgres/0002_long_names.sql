-- The names of `system` and `unit` are cut off where they are too long for an index. Here they are whole, for a catalog
-- that this one moves to. Tables of their own, so that nobody waits for a lock while nodes are replaced.
CREATE TABLE long_system (
    key  bigint PRIMARY KEY, -- of `system`
    name text COLLATE "C" NOT NULL
);

CREATE TABLE long_unit (
    key    bigint PRIMARY KEY, -- of `unit`
    code   text COLLATE "C" NOT NULL,
    system text COLLATE "C" NOT NULL
);
