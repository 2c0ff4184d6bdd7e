//! Tests of the whole system from outside; the library holds nothing.
