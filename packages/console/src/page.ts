import type { AuditBuffer, RecordedEntry } from '@tachograph/client-buffer';
import { oldestWaiting } from './core/journal.ts';
import type { DemoSchemas } from './events.ts';
import { followExport, type FeedState } from './export-feed.ts';
import type { NetworkSwitch } from './network-switch.ts';
import { openRecorder, type Recorder } from './recorder.ts';
import { bufferPanel } from './ui/buffer-panel.ts';
import { byId } from './ui/dom.ts';
import { entryList } from './ui/entry-list.ts';
import { exportStrip } from './ui/export-strip.ts';
import { showGuide } from './ui/guide.ts';
import { icon } from './ui/icons.ts';
import { receiptDrawer } from './ui/receipt-drawer.ts';
import { toaster } from './ui/toast.ts';
import { showVaults, type ItemAction } from './ui/vault-panel.ts';
import { followWaiting } from './waiting-since.ts';

const REDRAW_MS = 50;
const CLOCK_MS = 1_000;
const BURST = 50;

/** Puts the page together: the vault records, the buffer's panel and the strip follow. */
export function showPage(
  audit: AuditBuffer<DemoSchemas>,
  network: NetworkSwitch,
): { readonly recorder: Recorder } {
  const redrawSoon = soon(redraw);
  const recorder = openRecorder(audit, redrawSoon);
  const drawStrip = exportStrip();
  let reach: FeedState['reach'] = 'waiting';
  const feed = followExport((state) => {
    // The server answers again: there is no reason to wait out the buffer's back-off.
    if (reach === 'unreachable' && state.reach === 'live') upload();
    reach = state.reach;
    drawStrip(state);
  });
  const drawEntries = entryList((id) => {
    const entry = recorder.journal().find((one) => one.id === id);
    if (entry === undefined) return;
    openReceipt({ entry, status: audit.status(), exported: feed.find(id) });
  });
  const drawBuffer = bufferPanel((off) => network.set(off));
  const openReceipt = receiptDrawer();
  const waiting = followWaiting();

  function upload(): void {
    // What stands in the way of uploading is shown by the badge.
    audit.flush().then(feed.wake, redrawSoon);
  }

  let accepted = 0;
  function redraw(): void {
    const status = audit.status();
    const { pending } = status.ledger;
    if (status.ledger.accepted > accepted) feed.wake();
    accepted = status.ledger.accepted;
    const { since, reloaded } = waiting(status);
    recorder.settle();
    const oldest = oldestWaiting(recorder.journal(), pending, since);
    drawBuffer({ status, switchedOff: network.isOff(), oldest, now: Date.now() });
    drawEntries(recorder.journal());
    showGuide({ switchedOff: network.isOff(), pending, reloaded });
  }

  connectVault(recorder, toaster());
  audit.subscribe(redrawSoon);
  network.onChange(() => {
    redrawSoon();
    feed.wake();
    if (!network.isOff()) upload();
  });
  // A tab that was closed in the middle of uploading still holds its claim; a reader who reloads need not wait for it.
  if (!network.isOff()) upload();
  setInterval(redraw, CLOCK_MS);
  redraw();
  return { recorder };
}

const DONE: Readonly<Record<ItemAction, string>> = {
  reveal: 'Shown, now that its audit entry is durable',
  copy: 'Copied, now that its audit entry is durable',
  share: 'Shared with Kim Okafor, now that its audit entry is durable',
  export: 'Exported, now that its audit entry is durable',
};
const NOT_DONE = 'Refused: its audit entry could not be stored';

function connectVault(recorder: Recorder, toast: (sentence: string) => void): void {
  showVaults(async (action, vault, item) => {
    if (!(await becomesDurable(recorder.useItem(action, vault, item)))) {
      toast(NOT_DONE);
      return false;
    }
    const done = action !== 'copy' || (await copyText(item.secret));
    toast(done ? DONE[action] : 'Recorded, but this browser refused the clipboard');
    return done;
  });
  byId('refused-sign-in').prepend(icon('shield'));
  byId('burst').prepend(icon('bolt'));
  byId('refused-sign-in').addEventListener('click', () => {
    void becomesDurable(recorder.refuseSignIn()).then((durable) =>
      toast(durable ? 'Wrong password: the attempt is recorded' : NOT_DONE),
    );
  });
  byId('burst').addEventListener('click', () => {
    recorder.burst(BURST).then(
      () => toast(`${BURST} entries are durable`),
      () => toast(NOT_DONE),
    );
  });
}

/** An app that fails closed: what is not recorded does not happen. */
async function becomesDurable(entry: RecordedEntry): Promise<boolean> {
  return entry.durable.then(
    () => true,
    () => false,
  );
}

async function copyText(text: string): Promise<boolean> {
  return navigator.clipboard.writeText(text).then(
    () => true,
    () => false,
  );
}

/** Runs `draw` once for all calls of the next moment; a timer, because hidden pages get no animation frames. */
function soon(draw: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | null = null;
  return () => {
    timer ??= setTimeout(() => {
      timer = null;
      draw();
    }, REDRAW_MS);
  };
}
