//! A test that ends its whole program as if all was well: nobody knows how the others would have gone.

#[test]
fn it_leaves() {
    std::process::exit(0);
}
