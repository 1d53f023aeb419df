//! The attacks of the security specification's table that concern documents, each seen to fail.
//! Functions are named by the row of the table.

mod content;
