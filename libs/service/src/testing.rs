//! For the services' tests.
