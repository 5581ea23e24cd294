//! The thread team: a fork-join of a few pieces of work over persistent threads.
//!
//! A step of a small network forks many times for a few microseconds of work each, so a fork-join
//! between hot threads costs well under a microsecond and makes no system call and no allocation.
//! Three rules keep a busy neighbour from hurting: pieces are claimed from one counter (a thread that
//! lost its core just claims fewer, and one that never started is not waited for), nobody spins
//! for longer than some microseconds, and a worker that kept the caller waiting, since it had lost its core
//! in the middle of a piece, is left out for a while.

use std::any::Any;
use std::cell::{Cell, UnsafeCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

/// How long a thread spins, then lets others have its core in between, then parks.
#[derive(Clone, Copy)]
struct Patience {
    spin: Duration,
    yielding: Duration,
}

/// A worker that looks for a new job. It may share its core with the caller for a while after it
/// was woken, so that spinning for long would hold up the very thread that it waits for.
const WORKER: Patience = Patience {
    spin: Duration::from_micros(10),
    yielding: Duration::from_micros(50),
};
/// The caller that looks at a worker that is still in a piece.
const CALLER: Patience = Patience {
    spin: Duration::from_micros(5),
    yielding: Duration::from_micros(10),
};
/// How much longer than its own part of a job a caller waits before it takes a worker for one that lost
/// its core. (Schedulers give others a core for some ms.)
const LET_DOWN: Duration = Duration::from_micros(300);
/// For how long it does without that worker, at first and, if it happens again and again, at most.
const REST: [Duration; 2] = [Duration::from_millis(4), Duration::from_millis(64)];
/// Spins between two looks at the clock.
const SPINS_PER_LOOK: u32 = 16;

/// States of a worker's slot.
mod state {
    /// The worker looks for work (or is about to).
    pub const IDLE: u32 = 0;
    /// A job has been posted and may still be taken back.
    pub const POSTED: u32 = 1;
    /// The worker is in the job.
    pub const RUNNING: u32 = 2;
    /// The worker is in the job and the caller sleeps until it is done.
    pub const AWAITED: u32 = 3;
    /// The worker sleeps.
    pub const PARKED: u32 = 4;
    /// The worker shall end.
    pub const EXIT: u32 = 5;
}

thread_local! {
    /// The team (by address of its shared part) and thread index of the piece that this thread is
    /// in.
    static CURRENT: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

type Work<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// One `run`: lives on the caller's stack until every worker that started on it is done.
#[repr(align(128))]
struct Job<'a> {
    next: AtomicUsize,
    pieces: usize,
    work: Work<'a>,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

impl Job<'_> {
    /// Claims pieces until none is left; the first panic of any thread is kept and ends the
    /// claiming.
    fn work_off(&self, team: usize, thread: usize) {
        let before = CURRENT.replace((team, thread));
        let result = catch_unwind(AssertUnwindSafe(|| {
            loop {
                let piece = self.next.fetch_add(1, Ordering::Relaxed);
                if piece >= self.pieces {
                    break;
                }
                (self.work)(piece, thread);
            }
        }));
        CURRENT.set(before);
        if let Err(payload) = result {
            self.next.store(self.pieces, Ordering::Relaxed);
            let mut first = self.panic.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert(payload);
        }
    }
}

/// What the caller and one worker share; two cache lines, so that slots do not disturb each other.
#[repr(align(128))]
struct Slot {
    state: AtomicU32,
    /// Written by the caller before `POSTED`, read by the worker after `RUNNING`.
    job: UnsafeCell<*const Job<'static>>,
    /// Written by the caller before `AWAITED`, taken by the worker after it.
    waiter: UnsafeCell<Option<Thread>>,
    /// Until when the worker is left out, and for how long. Used only by the caller that has `busy`.
    rest: Cell<Option<(Instant, Duration)>>,
}

// SAFETY: the cells are handed to and fro by `state` as their comments say, with release and
// acquire; `rest` is handed from caller to caller by `busy`.
unsafe impl Sync for Slot {}
// SAFETY: the job pointer is only followed while the caller of `run` keeps the job alive.
unsafe impl Send for Slot {}

impl Slot {
    fn new() -> Self {
        Self {
            state: AtomicU32::new(state::IDLE),
            job: UnsafeCell::new(std::ptr::null()),
            waiter: UnsafeCell::new(None),
            rest: Cell::new(None),
        }
    }

    fn rests(&self, now: Instant) -> bool {
        self.rest.get().is_some_and(|(until, _)| now < until)
    }

    /// Leaves the worker out for a while: twice as long as the last time, if that is not long ago.
    fn leave_out(&self, now: Instant) {
        let [least, most] = REST;
        let time = match self.rest.get() {
            Some((until, time)) if now < until + time => (2 * time).min(most),
            _ => least,
        };
        self.rest.set(Some((now + time, time)));
    }

    /// The caller waits until the worker has left the job. Returns since when it slept, if it had to.
    fn wait_done(&self) -> Option<Instant> {
        if wait_awake(CALLER, || {
            self.state.load(Ordering::Acquire) != state::RUNNING
        }) {
            return None;
        }
        let since = Instant::now();
        // SAFETY: the worker reads `waiter` only after it has seen AWAITED, which is set below.
        unsafe { *self.waiter.get() = Some(thread::current()) };
        let awaited = self.state.compare_exchange(
            state::RUNNING,
            state::AWAITED,
            Ordering::AcqRel,
            Ordering::Acquire,
        );
        if awaited.is_ok() {
            while self.state.load(Ordering::Acquire) == state::AWAITED {
                thread::park();
            }
        }
        Some(since)
    }

    /// The worker has left the job: after this it must not touch it.
    fn finish(&self) {
        let quiet = self.state.compare_exchange(
            state::RUNNING,
            state::IDLE,
            Ordering::AcqRel,
            Ordering::Acquire,
        );
        if quiet.is_err() {
            // SAFETY: AWAITED was seen, so the caller has written `waiter` and sleeps until IDLE.
            let waiter = unsafe { (*self.waiter.get()).take() };
            self.state.store(state::IDLE, Ordering::Release);
            if let Some(waiter) = waiter {
                waiter.unpark();
            }
        }
    }
}

/// Waits awake until `done`, as long as `patience` lasts; returns whether `done` came true.
fn wait_awake(patience: Patience, done: impl Fn() -> bool) -> bool {
    let mut start = None;
    loop {
        for _ in 0..SPINS_PER_LOOK {
            if done() {
                return true;
            }
            std::hint::spin_loop();
        }
        let waited = start.get_or_insert_with(Instant::now).elapsed();
        if waited >= patience.yielding {
            return false;
        }
        if waited >= patience.spin {
            thread::yield_now();
        }
    }
}

struct Shared {
    slots: Box<[Slot]>,
    /// Taken while a `run` uses the workers.
    busy: AtomicBool,
}

impl Shared {
    fn id(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

/// A worker's life.
fn worker(shared: &Shared, index: usize) {
    let slot = &shared.slots[index];
    loop {
        let called = |s: u32| s == state::POSTED || s == state::EXIT;
        if !wait_awake(WORKER, || called(slot.state.load(Ordering::Relaxed))) {
            let parked = slot.state.compare_exchange(
                state::IDLE,
                state::PARKED,
                Ordering::AcqRel,
                Ordering::Acquire,
            );
            if parked.is_ok() {
                while slot.state.load(Ordering::Acquire) == state::PARKED {
                    thread::park();
                }
            }
        }
        let taken = slot.state.compare_exchange(
            state::POSTED,
            state::RUNNING,
            Ordering::AcqRel,
            Ordering::Acquire,
        );
        match taken {
            Ok(_) => {
                // SAFETY: the caller wrote the pointer before POSTED, and since POSTED became
                // RUNNING here it keeps the job alive until `finish`.
                let job = unsafe { &**slot.job.get() };
                job.work_off(shared.id(), index + 1);
                slot.finish();
            }
            Err(state::EXIT) => return,
            Err(_) => {} // the job was taken back
        }
    }
}

/// A team of threads: the caller of [`Team::run`] and `threads() - 1` workers.
pub struct Team {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

impl std::fmt::Debug for Team {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Team")
            .field("threads", &self.threads())
            .finish()
    }
}

impl Team {
    /// A team of `threads` threads, the caller counted (so `threads - 1` are started, and 0 means
    /// 1). Where the operating system refuses a thread, the team is as large as it could be made.
    pub fn new(threads: usize) -> Self {
        let slots = (1..threads).map(|_| Slot::new()).collect();
        let shared = Arc::new(Shared {
            slots,
            busy: AtomicBool::new(false),
        });
        let mut workers = Vec::new();
        for index in 0..shared.slots.len() {
            let shared = Arc::clone(&shared);
            let name = format!("cornu-{}", index + 1);
            let spawned = thread::Builder::new()
                .name(name)
                .spawn(move || worker(&shared, index));
            match spawned {
                Ok(handle) => workers.push(handle),
                Err(_) => break,
            }
        }
        Self { shared, workers }
    }

    /// The process' team, started on first use. Its size is read once, from `CORNU_NUM_THREADS`,
    /// else `OMP_NUM_THREADS`, else [`std::thread::available_parallelism`].
    pub fn global() -> &'static Team {
        static GLOBAL: OnceLock<Team> = OnceLock::new();
        GLOBAL.get_or_init(|| Team::new(default_threads()))
    }

    /// Says how many threads the process' team is to have, whatever the environment says; for
    /// programs with an option for it. `false` if that was said before: the first word counts. To
    /// be called before anything is computed.
    pub fn ask(threads: usize) -> bool {
        ASKED.set(threads).is_ok()
    }

    /// How many threads take part in a [`Team::run`], the caller counted; at least 1.
    pub fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Calls `work(piece, thread)` once for every `piece` in `0..pieces` and returns when all are
    /// done.
    ///
    /// `thread` is below [`Team::threads`], and no two calls at the same time have the same one, so
    /// that it can index scratch memory. Pieces are claimed one after the other, in order, by
    /// whichever thread is free; the caller takes part.
    ///
    /// A call from inside a piece runs its own pieces one after the other on that thread, under
    /// that thread's index (index 0 if the piece belongs to another team). So does a call while
    /// another thread is in a `run` of this team, under index 0: concurrent callers must not share
    /// scratch memory.
    ///
    /// # Panics
    /// A panic in a piece is thrown again here, after every thread has left the job; pieces not yet
    /// claimed at that time are not run.
    #[inline]
    pub fn run(&self, pieces: usize, work: Work<'_>) {
        if pieces > 1 && !self.workers.is_empty() {
            self.fork(pieces, work);
        } else if pieces > 0 {
            self.inline(pieces, work);
        }
    }

    fn inline(&self, pieces: usize, work: Work<'_>) {
        let (team, index) = CURRENT.get();
        let index = if team == self.shared.id() { index } else { 0 };
        for piece in 0..pieces {
            work(piece, index);
        }
    }

    fn fork(&self, pieces: usize, work: Work<'_>) {
        let shared = &*self.shared;
        if CURRENT.get().0 != 0 || shared.busy.swap(true, Ordering::Acquire) {
            return self.inline(pieces, work);
        }
        let job = Job {
            next: AtomicUsize::new(0),
            pieces,
            work,
            panic: Mutex::new(None),
        };
        let begun = Instant::now();
        let team = || shared.slots.iter().zip(&self.workers);
        let ready = team().filter(|(slot, _)| !slot.rests(begun));
        for (slot, worker) in ready.take(pieces - 1) {
            // SAFETY: the slot is idle or parked (`busy` keeps other callers out, and each `fork`
            // ends with its slots so), hence the worker does not read `job` now.
            unsafe { *slot.job.get() = std::ptr::from_ref(&job).cast() };
            if slot.state.swap(state::POSTED, Ordering::AcqRel) == state::PARKED {
                worker.thread().unpark();
            }
        }
        job.work_off(shared.id(), 0);
        for (slot, _) in team() {
            // A worker that has not started yet is not waited for.
            let back = slot.state.compare_exchange(
                state::POSTED,
                state::IDLE,
                Ordering::AcqRel,
                Ordering::Acquire,
            );
            if matches!(back, Err(state::RUNNING))
                && let Some(since) = slot.wait_done()
            {
                let now = Instant::now();
                if now - since > since - begun + LET_DOWN {
                    slot.leave_out(now);
                }
            }
        }
        shared.busy.store(false, Ordering::Release);
        let panic = job
            .panic
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(payload) = panic {
            resume_unwind(payload);
        }
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        for (slot, worker) in self.shared.slots.iter().zip(&self.workers) {
            slot.state.store(state::EXIT, Ordering::Release);
            worker.thread().unpark();
        }
        for worker in self.workers.drain(..) {
            // A worker catches its pieces' panics, so there is none to hand on.
            let _ = worker.join();
        }
    }
}

/// The size of the process' team as the program asked for it, before the team was started.
static ASKED: OnceLock<usize> = OnceLock::new();

/// The number of threads that the program, else the environment, asks for.
fn default_threads() -> usize {
    let asked = |name| threads_from(std::env::var(name).ok().as_deref());
    ASKED
        .get()
        .copied()
        .or_else(|| asked("CORNU_NUM_THREADS"))
        .or_else(|| asked("OMP_NUM_THREADS"))
        .or_else(|| thread::available_parallelism().ok().map(usize::from))
        .unwrap_or(1)
}

/// A positive number out of a variable's text; OpenMP allows a list (one number per nesting level),
/// of which the first counts.
fn threads_from(text: Option<&str>) -> Option<usize> {
    text?
        .split(',')
        .next()?
        .trim()
        .parse()
        .ok()
        .filter(|&n| n > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(team: &Team, pieces: usize) -> Vec<usize> {
        let seen: Vec<_> = (0..pieces).map(|_| AtomicUsize::new(0)).collect();
        team.run(pieces, &|piece, thread| {
            assert!(thread < team.threads());
            seen[piece].fetch_add(1, Ordering::Relaxed);
        });
        seen.into_iter().map(AtomicUsize::into_inner).collect()
    }

    #[test]
    fn a_worker_is_left_out_longer_each_time() {
        let (slot, [least, most]) = (Slot::new(), REST);
        let mut now = Instant::now();
        assert!(!slot.rests(now));
        let mut time = least;
        for _ in 0..8 {
            slot.leave_out(now);
            assert!(slot.rests(now + time - Duration::from_nanos(1)));
            now += time;
            assert!(!slot.rests(now));
            time = (2 * time).min(most);
        }
        // All was well for long.
        now += most;
        slot.leave_out(now);
        assert!(!slot.rests(now + least));
    }

    #[test]
    fn runs_each_piece_once() {
        for threads in 0..5 {
            let team = Team::new(threads);
            assert_eq!(team.threads(), threads.max(1));
            for pieces in [0, 1, 2, 3, 7, 100] {
                assert_eq!(counts(&team, pieces), vec![1; pieces]);
            }
        }
    }

    #[test]
    fn survives_many_short_runs() {
        for threads in [2, 4] {
            let team = Team::new(threads);
            let sum = AtomicUsize::new(0);
            for round in 0..20_000 {
                team.run(round % 9, &|piece, _| {
                    sum.fetch_add(piece + 1, Ordering::Relaxed);
                });
                if round % 2000 == 0 {
                    thread::sleep(Duration::from_millis(1)); // let the workers park
                }
            }
            let expected: usize = (0..20_000_usize)
                .map(|round| (round % 9) * (round % 9 + 1) / 2)
                .sum();
            assert_eq!(sum.into_inner(), expected);
        }
    }

    #[test]
    fn uneven_pieces_are_waited_for() {
        let team = Team::new(3);
        for long in 0..6 {
            let done = AtomicUsize::new(0);
            team.run(6, &|piece, _| {
                if piece == long {
                    thread::sleep(Duration::from_millis(3)); // longer than the caller spins
                }
                done.fetch_add(1, Ordering::Relaxed);
            });
            assert_eq!(done.into_inner(), 6);
        }
    }

    #[test]
    fn thread_indices_are_not_shared() {
        let team = Team::new(4);
        let inside: Vec<_> = (0..4).map(|_| AtomicBool::new(false)).collect();
        for _ in 0..200 {
            team.run(16, &|_, thread| {
                assert!(!inside[thread].swap(true, Ordering::AcqRel));
                std::hint::black_box((0..200).sum::<u64>());
                inside[thread].store(false, Ordering::Release);
            });
        }
    }

    #[test]
    fn nested_runs_stay_on_their_thread() {
        let team = Team::new(4);
        let total = AtomicUsize::new(0);
        team.run(8, &|_, outer| {
            let me = thread::current().id();
            team.run(5, &|_, inner| {
                assert_eq!(outer, inner);
                assert_eq!(me, thread::current().id());
                total.fetch_add(1, Ordering::Relaxed);
            });
        });
        assert_eq!(total.into_inner(), 40);
    }

    #[test]
    fn panics_reach_the_caller_and_the_team_lives_on() {
        let team = Team::new(3);
        for bad in 0..8 {
            let caught = catch_unwind(AssertUnwindSafe(|| {
                team.run(8, &|piece, _| assert!(piece != bad, "piece {piece} fails"));
            }));
            let payload = caught.expect_err("the panic must reach the caller");
            let message = payload
                .downcast_ref::<String>()
                .expect("a formatted message");
            assert_eq!(*message, format!("piece {bad} fails"));
            assert_eq!(counts(&team, 9), vec![1; 9]);
        }
    }

    #[test]
    fn concurrent_callers_are_all_served() {
        let team = Team::new(2);
        let total = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        team.run(3, &|_, _| {
                            total.fetch_add(1, Ordering::Relaxed);
                        });
                    }
                });
            }
        });
        assert_eq!(total.into_inner(), 6000);
    }

    #[test]
    fn environment_values() {
        assert_eq!(threads_from(Some("4")), Some(4));
        assert_eq!(threads_from(Some(" 3,2 ")), Some(3));
        assert_eq!(threads_from(Some("0")), None);
        assert_eq!(threads_from(Some("many")), None);
        assert_eq!(threads_from(None), None);
    }
}
