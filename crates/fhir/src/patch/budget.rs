//! What a patch may cost: the size of its result, the depth of its result, and the work in between.
//! A patch of a few lines could else copy a resource into itself until memory ends.

use crate::Node;

use super::PatchError;

/// Deepest nesting of a result: what a kept resource can be read back with.
const DEPTH_MAX: usize = 128;
/// What a result may weigh beyond four times the resource.
const ALLOWANCE: usize = 1 << 20;
/// How often the largest result may be looked through or copied.
const PASSES_MAX: usize = 32;

/// What is left to spend.
#[derive(Debug)]
pub struct Budget {
    weight: usize,
    weight_max: usize,
    work_left: usize,
}

impl Budget {
    /// The budget of a patch of `resource`.
    pub fn new(resource: &Node) -> Self {
        let weight = measure(resource).weight;
        let weight_max = weight.saturating_mul(4).saturating_add(ALLOWANCE);
        Self { weight, weight_max, work_left: weight_max.saturating_mul(PASSES_MAX) }
    }

    /// `node` is about to stand `depth` levels beneath the root.
    pub fn added(&mut self, node: &Node, depth: usize) -> Result<(), PatchError> {
        let measure = measure(node);
        self.work(measure.weight)?;
        self.weight = self.weight.saturating_add(measure.weight);
        let too_deep = depth.saturating_add(measure.height) > DEPTH_MAX;
        if too_deep || self.weight > self.weight_max { Err(PatchError::TooCostly) } else { Ok(()) }
    }

    /// `node` left the resource.
    pub fn removed(&mut self, node: &Node) -> Result<(), PatchError> {
        let weight = measure(node).weight;
        self.weight = self.weight.saturating_sub(weight);
        self.work(weight)
    }

    /// So many bytes or nodes are about to be looked at.
    pub fn work(&mut self, steps: usize) -> Result<(), PatchError> {
        self.work_left = self.work_left.checked_sub(steps).ok_or(PatchError::TooCostly)?;
        Ok(())
    }
}

/// The size of a tree.
#[derive(Debug, Clone, Copy)]
struct Measure {
    /// Roughly its bytes as JSON.
    weight: usize,
    /// Levels beneath it.
    height: usize,
}

fn measure(node: &Node) -> Measure {
    let (own, children) = match node {
        Node::String(text) => return Measure { weight: text.len() + 8, height: 0 },
        Node::Number(digits) => return Measure { weight: digits.len() + 8, height: 0 },
        Node::Bool(_) | Node::Base64(_) | Node::Null => return Measure { weight: 8, height: 0 },
        Node::Object(members) => {
            let names = members.iter().map(|(name, _)| name.len()).sum::<usize>();
            (names, sum(members.iter().map(|(_, value)| value)))
        }
        Node::Array(items) => (0, sum(items.iter())),
    };
    Measure { weight: children.weight + own + 8, height: children.height + 1 }
}

fn sum<'a>(nodes: impl Iterator<Item = &'a Node>) -> Measure {
    nodes.map(measure).fold(Measure { weight: 0, height: 0 }, |sum, each| Measure {
        weight: sum.weight + each.weight,
        height: sum.height.max(each.height),
    })
}
