-- What all nodes have recorded, copied here from their own logs so that searches at any of them find it. A program that
-- knows nothing of these tables works beside one that does.

-- Nodes by the names that stand beside their logs, and how far each log is copied.
CREATE TABLE audit_node (
    number  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name    text COLLATE "C" NOT NULL UNIQUE,
    shipped bigint NOT NULL, -- the place in the node's log of the last event that is here
    process text COLLATE "C" NOT NULL DEFAULT '' -- a random name of the process that brought it
);

-- No index but the first holds anything together, and that one knows the time, so that the table can be cut by it.
CREATE TABLE audit_event (
    number      bigint NOT NULL, -- the node's number and thirteen digits of the place in its log
    recorded    bigint NOT NULL,
    status      smallint NOT NULL,
    tenant      text COLLATE "C" NOT NULL,
    interaction text COLLATE "C" NOT NULL,
    keys        bigint[] NOT NULL, -- keyed hashes of patient, agents and entities, as in the index of a segment
    line        bytea NOT NULL, -- as it stands in the node's log
    PRIMARY KEY (number, recorded)
);

CREATE INDEX audit_event_order ON audit_event (tenant, recorded, number);
CREATE INDEX audit_event_keys ON audit_event USING gin (keys);
CREATE INDEX audit_event_recorded ON audit_event USING brin (recorded);
