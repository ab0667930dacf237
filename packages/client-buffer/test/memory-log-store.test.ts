import { MemoryLogStore } from '../src/memory-log-store.ts';
import { describeLogStore } from '../../../test/contracts/log-store.contract.ts';

let store = new MemoryLogStore();
describeLogStore('memory', {
  open: () => store,
  reset: () => {
    store = new MemoryLogStore();
  },
});
