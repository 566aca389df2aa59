//! `vars_prompt`: what is asked, and what becomes of the answers.

use std::collections::VecDeque;
use std::sync::Mutex;

use super::*;
use crate::playbook::run::work::runner::{Keys, Until};

/// Somebody with these answers, who remembers the questions.
#[derive(Default)]
struct Somebody {
    answers: Mutex<VecDeque<&'static str>>,
    asked: Mutex<Vec<String>>,
}

impl Ask for Somebody {
    fn line(
        &self,
        question: &str,
        echo: bool,
        _stopped: &dyn Fn() -> bool,
    ) -> std::io::Result<Option<String>> {
        let hidden = if echo { "" } else { " (hidden)" };
        self.asked
            .lock()
            .unwrap()
            .push(format!("{}{hidden}", question.trim_end()));
        Ok(self.answers.lock().unwrap().pop_front().map(str::to_owned))
    }

    fn keys(
        &self,
        _question: &str,
        _echo: bool,
        _until: Until,
        _stopped: &dyn Fn() -> bool,
    ) -> std::io::Result<Keys> {
        Ok(Keys::Nobody)
    }
}

const PLAY: &str = "- hosts: all
  gather_facts: false
  vars_prompt:
  - {name: open, prompt: Which, private: false, default: this}
  - {name: twice, confirm: true}
  - {name: hashed, encrypt: sha512_crypt, salt: saltsalt}
  - {name: salted, encrypt: sha256_crypt, salt_size: 7}
  tasks:
  - debug: {msg: ['{{ open }}', '{{ twice }}', '{{ hashed }}', '{{ salted }}']}
";

#[tokio::test]
async fn answers_are_confirmed_have_defaults_and_are_hashed() {
    let somebody = Arc::new(Somebody::default());
    let answers = ["", "one", "other", "same", "same", "abc", "xyz"];
    somebody.answers.lock().unwrap().extend(answers);
    let mut bench = Bench::new();
    bench.ask = somebody.clone();
    let ran = bench.play(PLAY).await;
    let said = &ran.last()["msg"];
    assert_eq!((&said[0], &said[1]), (&json!("this"), &json!("same")));
    // As Ansible has it.
    assert_eq!(
        said[2],
        "$6$rounds=656000$saltsalt$A/uJ.BautBKn5Pbeh7ydHG921ygLOxQx9dFAhMsKQLSwUnAvjf40pT8gJ5zgxiFSEhGdifh5YsEPSQIyTTebX/"
    );
    let salted = said[3].as_str().unwrap().strip_prefix("$5$rounds=535000$");
    assert_eq!(salted.unwrap().find('$'), Some(7));
    assert_eq!(
        *somebody.asked.lock().unwrap(),
        [
            "Which [this]:",
            "twice: (hidden)",
            "confirm twice: (hidden)",
            "twice: (hidden)",
            "confirm twice: (hidden)",
            "hashed: (hidden)",
            "salted: (hidden)",
        ]
    );
}
