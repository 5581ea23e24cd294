//! The one sort of short lists. Each type and comparison that is sorted elsewhere is some 8 KB of code.

/// The numbers `0..n` by their keys; those of equal keys stay in order.
pub fn order_by(n: usize, key: &dyn Fn(usize) -> (i64, i64)) -> Vec<usize> {
    let mut keyed: Vec<((i64, i64), usize)> = (0..n).map(|i| (key(i), i)).collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, i)| i).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_keys_stay_in_order() {
        let keys = [(2, 0), (1, 5), (2, 0), (1, -5), (0, 9)];
        assert_eq!(order_by(5, &|i| keys[i]), [4, 3, 1, 0, 2]);
    }
}
