//! In which order the calls and the layers of a graph stand.

use super::Source;
use crate::models::symbol::{CallNode, Symbol, Unit};
use crate::{Error, Result};
use cornu_core::order_by;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// A call, known by its address.
pub(super) fn id(node: &Arc<CallNode>) -> usize {
    Arc::as_ptr(node) as usize
}

pub(super) fn unit_id(unit: &Arc<Unit>) -> usize {
    Arc::as_ptr(unit) as usize
}

/// The calls between inputs and outputs, each after those it needs.
pub(super) fn ordered(inputs: &[Symbol], outputs: &[Symbol]) -> Result<Vec<Arc<CallNode>>> {
    let entries: HashSet<usize> = inputs.iter().map(|s| id(&s.node)).collect();
    let mut done: HashSet<usize> = HashSet::new();
    let mut order = Vec::new();
    // Depth first without recursion: a chain of layers may be long.
    let mut stack: Vec<(Arc<CallNode>, usize)> = Vec::new();
    for output in outputs {
        stack.push((output.node.clone(), 0));
        while let Some((node, next)) = stack.pop() {
            if done.contains(&id(&node)) {
                continue;
            }
            if node.unit.is_input() && !entries.contains(&id(&node)) {
                let name = node
                    .unit
                    .given_name()
                    .unwrap_or_else(|| "input_layer".to_string());
                return Err(Error::state(format!(
                    "The graph is disconnected: the outputs depend on the input \"{name}\", which is not among the model's inputs."
                )));
            }
            match node.inputs.get(next) {
                Some(input) => {
                    let below = input.node.clone();
                    stack.push((node, next + 1));
                    stack.push((below, 0));
                }
                None => {
                    done.insert(id(&node));
                    order.push(node);
                }
            }
        }
    }
    for input in inputs {
        if done.insert(id(&input.node)) {
            order.insert(0, input.node.clone());
        }
    }
    Ok(order)
}

/// The layers in Keras' order: those farthest from the outputs first; of the same distance, those met
/// first when the graph is walked from the outputs.
///
/// Also says whether they follow each other in one line: no two calls at one depth, none that joins,
/// no layer called twice.
pub(super) fn keras_order(order: &[Arc<CallNode>], outputs: &[Symbol]) -> (Vec<Arc<Unit>>, bool) {
    let mut met: HashMap<usize, usize> = HashMap::new();
    let mut seen: HashSet<usize> = HashSet::new();
    let mut stack: Vec<&Arc<CallNode>> = outputs.iter().rev().map(|s| &s.node).collect();
    while let Some(node) = stack.pop() {
        if !seen.insert(id(node)) {
            continue;
        }
        let next = met.len();
        met.entry(unit_id(&node.unit)).or_insert(next);
        stack.extend(node.inputs.iter().rev().map(|s| &s.node));
    }
    let mut depth_of_node: HashMap<usize, usize> = HashMap::new();
    let mut depth: HashMap<usize, usize> = HashMap::new();
    for node in order.iter().rev() {
        let own = depth_of_node.get(&id(node)).copied().unwrap_or(0);
        let own = own.max(depth.get(&unit_id(&node.unit)).copied().unwrap_or(0));
        depth.insert(unit_id(&node.unit), own);
        depth_of_node.insert(id(node), own);
        for input in &node.inputs {
            let below = depth_of_node.entry(id(&input.node)).or_insert(0);
            *below = (*below).max(own + 1);
        }
    }
    let mut units: Vec<Arc<Unit>> = Vec::new();
    for node in order {
        if units.iter().all(|u| !Arc::ptr_eq(u, &node.unit)) {
            units.push(node.unit.clone());
        }
    }
    let in_order = order_by(units.len(), &|i| {
        let of = |map: &HashMap<usize, usize>| map.get(&unit_id(&units[i])).copied().unwrap_or(0);
        (-(of(&depth) as i64), of(&met) as i64)
    });
    let units: Vec<Arc<Unit>> = in_order.into_iter().map(|i| units[i].clone()).collect();
    let depths: HashSet<usize> = depth_of_node.values().copied().collect();
    let linear = depths.len() == order.len()
        && units.len() == order.len()
        && order.iter().all(|node| node.inputs.len() <= 1);
    (units, linear)
}

/// What the calls of each unit read.
pub(super) fn sources(order: &[Arc<CallNode>], place: &HashMap<usize, usize>) -> Vec<Vec<Source>> {
    let mut sources = vec![Vec::new(); place.len()];
    for i in order_by(order.len(), &|i| (order[i].number as i64, 0)) {
        let node = &order[i];
        sources[place[&unit_id(&node.unit)]].extend(node.inputs.iter().map(|s| Source {
            unit: place[&unit_id(&s.node.unit)],
            call: s.node.number,
            output: s.index,
        }));
    }
    sources
}
