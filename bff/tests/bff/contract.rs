//! The description of the API: a change of it is a change of the contract.

#[test]
fn description_of_the_api_is_the_agreed_one() {
    insta::assert_snapshot!("openapi", turnstile_bff::openapi_json().unwrap());
}
