//! Where a program's time goes, kernel by kernel, for `CORNU_PROFILE=1`.

use cornu_core::passes::memory::Plan;
use std::time::{Duration, Instant};

/// Time spent in each kernel of a program; printed on standard error when the program is dropped.
#[derive(Debug)]
pub(super) struct Profile {
    spent: Vec<Duration>,
    least: Vec<Duration>,
    runs: u32,
    last: Instant,
}

impl Profile {
    /// A profile, if the environment asks for one.
    pub fn asked(kernels: usize) -> Option<Profile> {
        let asked = std::env::var_os("CORNU_PROFILE").is_some_and(|v| v != "0");
        asked.then(|| Profile {
            spent: vec![Duration::ZERO; kernels],
            least: vec![Duration::MAX; kernels],
            runs: 0,
            last: Instant::now(),
        })
    }

    /// A run begins.
    pub fn begin(&mut self) {
        self.runs += 1;
        self.last = Instant::now();
    }

    /// A kernel has ended.
    pub fn ended(&mut self, kernel: usize) {
        let now = Instant::now();
        let spent = now - self.last;
        self.spent[kernel] += spent;
        self.least[kernel] = self.least[kernel].min(spent);
        self.last = now;
    }

    /// Prints the kernels with their shares, if there were enough runs to say something.
    pub fn print(&self, plan: &Plan) {
        if self.runs < 10 {
            return;
        }
        let total: Duration = self.spent.iter().sum();
        let least: Duration = self.least.iter().sum();
        let micros = |d: Duration| d.as_secs_f64() * 1e6;
        let runs = self.runs;
        eprintln!(
            "{runs} runs of {:.2} us (least {:.2}); mean, least and share of each kernel:",
            micros(total / runs),
            micros(least)
        );
        for ((spent, least), group) in self.spent.iter().zip(&self.least).zip(&plan.groups) {
            let share = 100.0 * spent.as_secs_f64() / total.as_secs_f64();
            let (mean, least) = (micros(*spent / runs), micros(*least));
            eprintln!(
                "{mean:10.2} {least:10.2} us {share:5.1} %  {}",
                group.describe()
            );
        }
    }
}
