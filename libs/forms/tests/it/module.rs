//! The forms' module in WebAssembly against the evaluator itself: the same answers, the same words, byte for byte.
//!
//! `DOCKET_WASM` names the module; `deploy/test` builds it and sets that. Without it there is nothing to compare.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::thread::{available_parallelism, scope};

use docket_forms::{Catalogue, Form, Question, evaluate, fee, normalise};
use serde_json::{Value, json};
use wasmi::{Engine, Instance, Linker, Memory, Store, TypedFunc};

use crate::search::{Search, seed, short_or_long};

/// Answers read as they are typed, of a set.
const TYPED: usize = 4;

/// A running module.
struct Module {
    store: Store<()>,
    memory: Memory,
    room: TypedFunc<u32, u32>,
    /// What it offers, by name.
    calls: HashMap<&'static str, TypedFunc<(), u32>>,
}

impl Module {
    /// The module, where one was built. It has no imports: nothing is linked to it.
    fn started() -> Option<Self> {
        let Some(file) = std::env::var_os("DOCKET_WASM").map(PathBuf::from) else {
            println!("not compared: DOCKET_WASM names no module");
            return None;
        };
        let bytes = std::fs::read(&file).expect("the module that DOCKET_WASM names");
        println!("{} bytes", bytes.len());
        let engine = Engine::default();
        let module = wasmi::Module::new(&engine, &bytes).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine).instantiate_and_start(&mut store, &module).unwrap();
        Some(Self::of(store, instance))
    }

    fn of(store: Store<()>, instance: Instance) -> Self {
        let names = ["docket_load", "docket_evaluate", "docket_normalise", "docket_length"];
        let call = |name| (name, instance.get_typed_func(&store, name).unwrap());
        let calls = names.into_iter().map(call).collect();
        let room = instance.get_typed_func(&store, "docket_input").unwrap();
        let memory = instance.get_memory(&store, "memory").unwrap();
        Self { store, memory, room, calls }
    }

    fn call(&mut self, name: &str, request: &[u8]) -> Vec<u8> {
        let input = self.room.call(&mut self.store, u32::try_from(request.len()).unwrap()).unwrap();
        self.memory.write(&mut self.store, input as usize, request).unwrap();
        let output = self.calls[name].call(&mut self.store, ()).unwrap();
        let mut answer = vec![0; self.calls["docket_length"].call(&mut self.store, ()).unwrap() as usize];
        self.memory.read(&self.store, output as usize, &mut answer).unwrap();
        answer
    }

    fn told(&mut self, name: &str, request: &[u8]) -> Value {
        serde_json::from_slice(&self.call(name, request)).unwrap()
    }

    fn ask(&mut self, name: &str, request: &Value) -> Value {
        self.told(name, request.to_string().as_bytes())
    }

    /// It gives these very bytes.
    fn agrees(&mut self, name: &str, request: &Value, here: &Value) {
        if self.call(name, request.to_string().as_bytes()) != here.to_string().as_bytes() {
            assert_eq!(self.ask(name, request), *here, "{request}");
            panic!("other bytes for {request}");
        }
    }

    fn load(&mut self, form: &Form) {
        let loaded = self.told("docket_load", serde_json::to_string(form).unwrap().as_bytes());
        assert_eq!((loaded["form"].as_str(), loaded.get("fault")), (Some(form.id.as_str()), None));
    }
}

/// Compares over a set of answers; how many these are.
fn compare(module: &mut Module, form: &Form, search: &mut Search<'_>) -> usize {
    let questions: Vec<&Question> = form.questions.iter().collect();
    let given = search.given();
    let answers = search.answers(&questions, given.filing_date);
    let waiver_granted = search.chance.often(2);
    let request =
        json!({ "form": form.id, "answers": answers, "given": given, "waiver_granted": waiver_granted });
    let here = json!({
        "evaluation": evaluate(form, &answers, &given),
        "fee": fee(form, &answers, &given, waiver_granted),
    });
    module.agrees("docket_evaluate", &request, &here);
    for _ in 0..TYPED {
        // Its own answer, one of another question, or none.
        let question = *search.chance.one_of(&questions);
        let other = answers.values().nth(search.chance.below(answers.len().max(1)));
        let typed = [answers.get(&question.id), other, None];
        let answer = search.chance.one_of(&typed).cloned().unwrap_or(Value::Null);
        let here = match normalise(form, &question.id, &answer) {
            Ok(answer) => json!({ "answer": answer }),
            Err(fault) => json!({ "fault": fault }),
        };
        let request = json!({ "form": form.id, "question": question.id, "answer": answer });
        module.agrees("docket_normalise", &request, &here);
    }
    answers.len()
}

#[test]
fn the_module_says_what_the_evaluator_says() {
    if Module::started().is_none() {
        return;
    }
    let (seed, wanted, catalogue) = (seed(), short_or_long(10_000, 3_000_000), Catalogue::embedded());
    let each = wanted / catalogue.forms().count();
    let forms = Mutex::new(catalogue.forms());
    let next = || forms.lock().unwrap().next();
    let work = || {
        let mut module = Module::started().unwrap();
        let (mut sets, mut compared) = (0, 0);
        while let Some(form) = next() {
            module.load(form);
            let mut search = Search::of_seed(form, seed);
            let mut of_form = 0;
            while of_form < each {
                of_form += compare(&mut module, form, &mut search);
                sets += 1;
            }
            compared += of_form;
        }
        (compared, sets)
    };
    let (compared, sets) = scope(|all| {
        let workers: Vec<_> = (0..available_parallelism().unwrap().get()).map(|_| all.spawn(work)).collect();
        let done = workers.into_iter().map(|worker| worker.join().unwrap());
        done.fold((0, 0), |(answers, sets), (more, others)| (answers + more, sets + others))
    });
    println!("{compared} answers in {sets} sets");
}

#[test]
fn the_module_refuses_what_it_cannot_read_and_goes_on() {
    let Some(mut module) = Module::started() else { return };
    let catalogue = Catalogue::embedded();
    let form = catalogue.form("I-90").unwrap();
    let reason = |answer: &Value| answer["fault"]["reason"].as_str().map(str::to_owned);
    let request = json!({ "form": "I-90", "question": "reason", "answer": "expired" });
    assert_eq!(reason(&module.ask("docket_normalise", &request)).as_deref(), Some("FORM_NOT_LOADED"));
    module.load(form);
    let faults = [
        ("docket_load", &b"{}"[..], "DEFINITION_UNSOUND"),
        ("docket_evaluate", b"", "REQUEST_MALFORMED"),
        ("docket_evaluate", b"{\"form\":\"\xff\"}", "REQUEST_MALFORMED"),
        ("docket_evaluate", b"{\"form\":\"I-90\"}", "REQUEST_MALFORMED"),
        ("docket_normalise", b"[]", "REQUEST_MALFORMED"),
    ];
    for (name, request, wanted) in faults {
        assert_eq!(reason(&module.told(name, request)).as_deref(), Some(wanted), "{name}");
    }
    assert_eq!(reason(&module.ask("docket_normalise", &request)).as_deref(), Some("OPTION_UNKNOWN"));
}
