//! ```
//! assert_eq!(1 + 1, 3, "a doc test that fails");
//! ```
