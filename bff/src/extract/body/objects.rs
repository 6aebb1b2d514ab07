//! Objects and lists within a body. What is wrong in one is named by its path, such as `picks[2].score`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Body;

impl Body {
    /// Takes the required list `name` of at most `length_max` objects; `read` takes what is known of one.
    pub(crate) fn required_objects<T>(
        &mut self,
        name: &str,
        length_max: usize,
        mut read: impl FnMut(&mut Body) -> T,
    ) -> Vec<T> {
        let items = match self.given.remove(name) {
            Some(Value::Array(items)) if items.len() <= length_max => items,
            Some(Value::Array(items)) => {
                let had = items.len();
                self.fault(
                    name,
                    format!("must have at most {length_max} items, had {had}"),
                );
                return Vec::new();
            }
            None | Some(Value::Null) => {
                self.fault(name, "is required".to_owned());
                return Vec::new();
            }
            Some(_) => {
                self.fault(name, "must be a list of objects".to_owned());
                return Vec::new();
            }
        };
        let items = items.into_iter().enumerate();
        items
            .filter_map(|(place, item)| self.within(&format!("{name}[{place}]"), item, &mut read))
            .collect()
    }

    /// Takes the object `name`; `read` takes what is known of it.
    pub(crate) fn object<T>(&mut self, name: &str, read: impl FnOnce(&mut Body) -> T) -> Option<T> {
        let given = self.given.remove(name).filter(|given| !given.is_null())?;
        self.within(name, given, read)
    }

    /// Takes the list `name` of at most `length_max` texts, each of 1 to `text_max` characters; an absent
    /// one is empty.
    pub(crate) fn texts(&mut self, name: &str, length_max: usize, text_max: usize) -> Vec<String> {
        let expected =
            format!("must be a list of at most {length_max} strings of 1 to {text_max} characters");
        let items = match self.given.remove(name) {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Array(items)) if items.len() <= length_max => items,
            Some(_) => {
                self.fault(name, expected);
                return Vec::new();
            }
        };
        // PostgreSQL cannot store U+0000 in a text.
        let fits = |text: &str| {
            !text.trim().is_empty() && text.chars().count() <= text_max && !text.contains('\0')
        };
        let texts = items.into_iter().map(|item| match item {
            Value::String(text) if fits(&text) => Ok(text),
            other => Err(format!("{expected}, one was {other}")),
        });
        texts.collect::<Result<_, _>>().unwrap_or_else(|fault| {
            self.fault(name, fault);
            Vec::new()
        })
    }

    fn within<T>(
        &mut self,
        path: &str,
        given: Value,
        read: impl FnOnce(&mut Body) -> T,
    ) -> Option<T> {
        let Value::Object(given) = given else {
            self.fault(path, "must be an object".to_owned());
            return None;
        };
        let mut inner = Body {
            given,
            faults: BTreeMap::new(),
        };
        let read = read(&mut inner);
        for name in inner.given.keys() {
            let fault = "is not a key of this object".to_owned();
            self.fault(&format!("{path}.{name}"), fault);
        }
        for (name, fault) in inner.faults {
            self.fault(&format!("{path}.{name}"), fault);
        }
        Some(read)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(value: Value) -> Body {
        let Value::Object(given) = value else {
            panic!("an object, was {value}");
        };
        let faults = BTreeMap::new();
        Body { given, faults }
    }

    #[test]
    fn what_is_wrong_in_an_object_has_its_path() {
        let mut body = body(json!({"list": [
            {"n": 1, "inner": {"n": 2}},
            {"n": 0, "more": 1, "inner": {"n": "x"}},
            3,
        ]}));
        let read = body.required_objects("list", 3, |item| {
            let n = item.required_whole("n", 1);
            (
                n,
                item.object("inner", |inner| inner.required_whole("n", 1)),
            )
        });
        assert_eq!(read[0], (1, Some(2)));
        let faults: Vec<&str> = body.faults.keys().map(String::as_str).collect();
        let expected = ["list[1].inner.n", "list[1].more", "list[1].n", "list[2]"];
        assert_eq!(faults, expected);
    }

    #[test]
    fn lists_have_a_limit_and_texts_are_not_blank() {
        for (given, is_right) in [
            (json!({}), true),
            (json!({"list": []}), true),
            (json!({"list": ["a", "bb"]}), true),
            (json!({"list": ["a", "b", "c"]}), false),
            (json!({"list": ["bbb"]}), false),
            (json!({"list": [" "]}), false),
            (json!({"list": ["\0"]}), false),
            (json!({"list": [1]}), false),
            (json!({"list": "a"}), false),
        ] {
            let mut body = body(given.clone());
            body.texts("list", 2, 2);
            assert_eq!(body.faults.is_empty(), is_right, "{given}");
        }
        for given in [
            json!({}),
            json!({"list": {}}),
            json!({"list": [{}, {}, {}]}),
        ] {
            let mut body = body(given.clone());
            assert!(body.required_objects("list", 2, |_| ()).is_empty());
            assert!(body.faults.contains_key("list"), "{given}");
        }
    }
}
