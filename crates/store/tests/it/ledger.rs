//! Writers that remember what was acknowledged to them and what was not, while things break.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use charta_store::{CommitError, Store, testing};
use tokio::task::JoinHandle;

/// Each transaction writes one document of each.
const KINDS: [&str; 3] = ["Patient", "Observation", "Device"];

/// Nobody waits longer for an answer, be it a refusal, on a machine that is busy with other tests.
const ANSWERED: Duration = Duration::from_secs(15);

/// What became of the transactions.
#[derive(Debug, Default)]
pub struct Ledger {
    pub acknowledged: Vec<String>,
    pub refused: Vec<String>,
}

/// Writers under way.
pub struct Writers {
    done: Arc<AtomicBool>,
    acknowledged: Arc<AtomicU64>,
    tasks: Vec<JoinHandle<Ledger>>,
}

impl Writers {
    /// Two to each store.
    pub fn start(stores: &[Store]) -> Self {
        let (done, acknowledged) = (Arc::default(), Arc::default());
        let tasks = stores.iter().chain(stores).enumerate();
        let start = |(number, store): (usize, &Store)| {
            tokio::spawn(write(number, store.clone(), Arc::clone(&done), Arc::clone(&acknowledged)))
        };
        let tasks = tasks.map(start).collect();
        Self { done, acknowledged, tasks }
    }

    /// Waits until so many more transactions were acknowledged.
    pub async fn acknowledge(&self, more: u64) {
        let enough = self.acknowledged.load(Ordering::SeqCst) + more;
        let begun = Instant::now();
        while self.acknowledged.load(Ordering::SeqCst) < enough {
            assert!(begun.elapsed() < Duration::from_secs(60), "no write goes through any more");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    pub async fn finish(self) -> Ledger {
        self.done.store(true, Ordering::SeqCst);
        let mut all = Ledger::default();
        for task in self.tasks {
            let Ledger { acknowledged, refused } = task.await.unwrap();
            all.acknowledged.extend(acknowledged);
            all.refused.extend(refused);
        }
        all
    }
}

async fn write(writer: usize, store: Store, done: Arc<AtomicBool>, total: Arc<AtomicU64>) -> Ledger {
    let mut ledger = Ledger::default();
    for number in 0.. {
        if done.load(Ordering::SeqCst) {
            break;
        }
        let (name, begun) = (format!("w{writer}-{number}"), Instant::now());
        let writes = KINDS.map(|kind| (testing::put_record(kind, &name, "1"), None)).into();
        let answer = store.transact(&testing::tenant("t"), writes, vec![], testing::at(1)).await;
        assert!(begun.elapsed() < ANSWERED, "answered after {:?}: {answer:?}", begun.elapsed());
        match answer {
            Ok(_) => {
                total.fetch_add(1, Ordering::SeqCst);
                ledger.acknowledged.push(name);
            }
            Err(refused) => {
                let CommitError::Store(error) = &refused.error else { panic!("{refused:?}") };
                assert!(error.is_transient(), "{refused:?}");
                ledger.refused.push(name);
                tokio::time::sleep(Duration::from_millis(25)).await; // as a client would
            }
        }
    }
    ledger
}

impl Ledger {
    /// What was acknowledged is there whole; what was not is there whole or not at all.
    pub async fn verify(&self, store: &Store) {
        for (names, may_be_missing) in [(&self.acknowledged, false), (&self.refused, true)] {
            for name in names {
                let mut there = 0;
                for kind in KINDS {
                    let (tenant, kind, id) = (testing::tenant("t"), testing::kind(kind), testing::id(name));
                    there += usize::from(store.current(&tenant, &kind, &id).await.unwrap().is_some());
                }
                assert!(there == 3 || (may_be_missing && there == 0), "{name}: {there} of 3");
            }
        }
    }
}
