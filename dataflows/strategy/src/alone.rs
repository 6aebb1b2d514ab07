//! A dataflow that one thread works on alone.

use timely::WorkerConfig;
use timely::communication::Allocator;
use timely::communication::allocator::thread::Thread;
use timely::worker::Worker;

/// Runs `work`, which builds one dataflow, with a worker of the calling thread. The dataflow ends with
/// it.
pub(crate) fn alone<R>(work: impl FnOnce(&mut Worker) -> R) -> R {
    let allocator = Allocator::Thread(Thread::default());
    let mut worker = Worker::new(WorkerConfig::default(), allocator, None);
    let dataflow = worker.next_dataflow_index();
    let result = work(&mut worker);
    worker.drop_dataflow(dataflow);
    result
}
