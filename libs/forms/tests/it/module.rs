//! The forms' module in WebAssembly against the evaluator itself: the same answers, the same words, byte for byte.
//!
//! `DOCKET_WASM` names the module; `deploy/test` builds it and sets that. Without it there is nothing to compare.

use std::path::PathBuf;

use docket_forms::{Catalogue, Form, Question, evaluate, fee, normalise};
use serde_json::{Value, json};
use wasmi::{Engine, Instance, Linker, Memory, Store};

use crate::search::Search;

/// A running module.
struct Module {
    store: Store<()>,
    instance: Instance,
    memory: Memory,
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
        let memory = instance.get_memory(&store, "memory").unwrap();
        Some(Self { store, instance, memory })
    }

    fn call(&mut self, name: &str, request: &[u8]) -> Value {
        let room = self.instance.get_typed_func::<u32, u32>(&self.store, "docket_input").unwrap();
        let call = self.instance.get_typed_func::<(), u32>(&self.store, name).unwrap();
        let length = self.instance.get_typed_func::<(), u32>(&self.store, "docket_length").unwrap();
        let input = room.call(&mut self.store, u32::try_from(request.len()).unwrap()).unwrap();
        self.memory.write(&mut self.store, input as usize, request).unwrap();
        let output = call.call(&mut self.store, ()).unwrap();
        let mut answer = vec![0; length.call(&mut self.store, ()).unwrap() as usize];
        self.memory.read(&self.store, output as usize, &mut answer).unwrap();
        serde_json::from_slice(&answer).unwrap()
    }

    fn ask(&mut self, name: &str, request: &Value) -> Value {
        self.call(name, request.to_string().as_bytes())
    }

    fn load(&mut self, form: &Form) {
        let loaded = self.call("docket_load", serde_json::to_string(form).unwrap().as_bytes());
        assert_eq!((loaded["form"].as_str(), loaded.get("fault")), (Some(form.id.as_str()), None));
    }
}

fn compare(module: &mut Module, form: &Form, search: &mut Search<'_>) {
    let questions: Vec<&Question> = form.questions.iter().collect();
    let given = search.given();
    let answers = search.answers(&questions, given.filing_date);
    for waiver_granted in [false, true] {
        let request =
            json!({ "form": form.id, "answers": answers, "given": given, "waiver_granted": waiver_granted });
        let here = json!({
            "evaluation": evaluate(form, &answers, &given),
            "fee": fee(form, &answers, &given, waiver_granted),
        });
        assert_eq!(module.ask("docket_evaluate", &request), here, "{}: {request}", form.id);
    }
    for question in questions {
        // Its own answer, one of another question, and none.
        let foreign = answers.values().nth(question.id.len() % answers.len().max(1)).cloned();
        let typed = [answers.get(&question.id).cloned(), foreign, Some(Value::Null)];
        for answer in typed.into_iter().flatten() {
            let here = match normalise(form, &question.id, &answer) {
                Ok(answer) => json!({ "answer": answer }),
                Err(fault) => json!({ "fault": fault }),
            };
            let request = json!({ "form": form.id, "question": question.id, "answer": answer });
            assert_eq!(module.ask("docket_normalise", &request), here, "{}: {request}", form.id);
        }
    }
}

#[test]
fn the_module_says_what_the_evaluator_says() {
    let Some(mut module) = Module::started() else { return };
    let rounds = if std::env::var_os("DOCKET_PROOF").is_some() { 500 } else { 3 };
    for form in Catalogue::embedded().forms() {
        module.load(form);
        let mut search = Search::seeded(form, [11; 32]);
        for _ in 0..rounds {
            compare(&mut module, form, &mut search);
        }
    }
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
        assert_eq!(reason(&module.call(name, request)).as_deref(), Some(wanted), "{name}");
    }
    assert_eq!(reason(&module.ask("docket_normalise", &request)).as_deref(), Some("OPTION_UNKNOWN"));
}
