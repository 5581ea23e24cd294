//! Where a program's time goes, kernel by kernel, for `CORNU_PROFILE=1`.

use cornu_core::passes::memory::Plan;
use std::time::{Duration, Instant};

/// Time spent in each kernel of a program; printed on standard error when the program is dropped.
#[derive(Debug)]
pub(super) struct Profile {
    spent: Vec<Duration>,
    runs: u32,
    last: Instant,
}

impl Profile {
    /// A profile, if the environment asks for one.
    pub fn asked(kernels: usize) -> Option<Profile> {
        let asked = std::env::var_os("CORNU_PROFILE").is_some_and(|v| v != "0");
        asked.then(|| Profile {
            spent: vec![Duration::ZERO; kernels],
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
        self.spent[kernel] += now - self.last;
        self.last = now;
    }

    /// Prints the kernels with their shares, if there were enough runs to say something.
    pub fn print(&self, plan: &Plan) {
        if self.runs < 10 {
            return;
        }
        let total: Duration = self.spent.iter().sum();
        let each = |d: &Duration| d.as_secs_f64() * 1e6 / f64::from(self.runs);
        eprintln!("{} runs, {:.2} us each:", self.runs, each(&total));
        for (spent, group) in self.spent.iter().zip(&plan.groups) {
            let share = 100.0 * spent.as_secs_f64() / total.as_secs_f64();
            eprintln!(
                "{:10.2} us {share:5.1} %  {}",
                each(spent),
                group.describe()
            );
        }
    }
}
