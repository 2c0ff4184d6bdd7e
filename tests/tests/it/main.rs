//! The whole system from outside: the story, crashes in the middle of it, who may call what, who may depend on whom.
mod access;
mod architecture;
mod crash;
mod story;
mod system;
