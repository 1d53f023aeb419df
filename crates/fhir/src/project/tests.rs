use super::*;
use crate::json;

const UPDATED: &str = "2024-05-01T10:00:00.000Z";

fn read(text: &str) -> Node {
    json::read(text).expect(text)
}

#[test]
fn types_without_a_map_have_no_projection() {
    for (resource_type, expected) in [("DocumentReference", true), ("Observation", false), ("", false)] {
        assert_eq!(is_projected(resource_type), expected, "{resource_type}");
    }
}
