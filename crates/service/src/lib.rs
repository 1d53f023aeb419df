//! Use cases, the same for HTTP and command line.
