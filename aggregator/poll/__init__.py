"""One poll from the network to the store, and who is polled next: pipeline, workers, queue, dispatcher."""
