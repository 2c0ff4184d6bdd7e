//! The forms as a WebAssembly module: what a portal's page asks while somebody writes, without a round trip.
//!
//! Everything goes in and comes out as JSON in UTF-8. The caller asks for room with [`docket_input`], writes its request
//! there, calls one of [`docket_load`], [`docket_evaluate`], [`docket_normalise`], and reads as many bytes as
//! [`docket_length`] says from where the call points. Both places belong to the module and hold until the next call.
//! It asks for nothing of its surroundings: no clock, no chance, no files.

#![expect(unsafe_code, reason = "a name that is given away may be given away twice; these are named once")]

mod exchange;

use std::sync::{Mutex, MutexGuard, PoisonError};

use exchange::Forms;

struct State {
    forms: Forms,
    input: Vec<u8>,
    output: String,
}

static STATE: Mutex<State> =
    Mutex::new(State { forms: Forms::none(), input: Vec::new(), output: String::new() });

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(call: impl Fn(&mut Forms, &str) -> String) -> *const u8 {
    let State { forms, input, output } = &mut *state();
    *output = match std::str::from_utf8(input) {
        Ok(request) => call(forms, request),
        Err(_) => exchange::fault("REQUEST_MALFORMED", "A request is written in UTF-8."),
    };
    output.as_ptr()
}

/// Makes room for a request of `length` bytes, and says where.
#[unsafe(no_mangle)]
pub extern "C" fn docket_input(length: usize) -> *mut u8 {
    let mut state = state();
    state.input = vec![0; length];
    state.input.as_mut_ptr()
}

/// How long the last answer is, in bytes.
#[unsafe(no_mangle)]
pub extern "C" fn docket_length() -> usize {
    state().output.len()
}

/// Takes a form: its definition as `CatalogueService.GetForm` gives it. One of the same number is replaced.
#[unsafe(no_mangle)]
pub extern "C" fn docket_load() -> *const u8 {
    answer(Forms::load)
}

/// Evaluates answers: `{"form", "answers", "given", "waiver_granted"}` to `{"evaluation", "fee"}`.
#[unsafe(no_mangle)]
pub extern "C" fn docket_evaluate() -> *const u8 {
    answer(|forms, request| forms.evaluate(request))
}

/// Reads one answer as it was typed: `{"form", "question", "answer"}` to `{"answer"}`, as it is stored.
#[unsafe(no_mangle)]
pub extern "C" fn docket_normalise() -> *const u8 {
    answer(|forms, request| forms.normalise(request))
}
