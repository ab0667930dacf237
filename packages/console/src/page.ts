import type { AuditBuffer, RecordedEntry } from '@tachograph/client-buffer';
import { administrator } from './administrator.ts';
import { oldestWaiting } from './core/journal.ts';
import { refusalSentence } from './core/lease-view.ts';
import { startOver } from './enrolment.ts';
import type { DemoSchemas } from './events.ts';
import { followExport, type FeedState } from './export-feed.ts';
import type { NetworkSwitch } from './network-switch.ts';
import { openOfflineVault, type OfflineVault } from './offline-vault.ts';
import { openRecorder, type Recorder } from './recorder.ts';
import type { SealedItems } from './sealed-items.ts';
import { adminPanel } from './ui/admin-panel.ts';
import { bufferPanel } from './ui/buffer-panel.ts';
import { byId } from './ui/dom.ts';
import { entryList } from './ui/entry-list.ts';
import { exportStrip } from './ui/export-strip.ts';
import { showGuide } from './ui/guide.ts';
import { icon } from './ui/icons.ts';
import { leaseStrip } from './ui/lease-strip.ts';
import { receiptDrawer } from './ui/receipt-drawer.ts';
import { toaster } from './ui/toast.ts';
import { vaultPanel, type ItemAction, type UseItem } from './ui/vault-panel.ts';
import { followWaiting } from './waiting-since.ts';

const REDRAW_MS = 50;
const CLOCK_MS = 1_000;
const BURST = 50;

export type Shown = { readonly recorder: Recorder; readonly vault: OfflineVault };

/** Puts the page together: the vault records, the buffer's panel and the strip follow. */
export function showPage(audit: AuditBuffer<DemoSchemas>, network: NetworkSwitch, items: SealedItems): Shown {
  const redrawSoon = soon(redraw);
  const recorder = openRecorder(audit, redrawSoon);
  const vault = openOfflineVault(audit, items, redrawSoon);
  const toast = toaster();
  const admin = administrator(audit, network);
  const drawVault = vaultPanel(itemUser(recorder, vault, toast));
  const drawLease = leaseStrip();
  const drawAdmin = adminPanel({
    revoke: async () => {
      toast((await admin.revoke()) ? 'Revoked, and the purge is signed' : 'The server cannot be reached');
      feed.wake();
      redraw();
    },
    startOver: async () => {
      toast((await startOver(audit)) ? 'Enrolled as a new device' : 'The server cannot be reached');
      redraw();
    },
  });
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
    const { since, reloaded, arrived } = waiting(status);
    recorder.settle();
    const oldest = oldestWaiting(recorder.journal(), pending, since);
    const [switchedOff, now, revokedAt] = [network.isOff(), Date.now(), admin.revokedAt()];
    const offline = switchedOff || status.state === 'offline';
    const online = !switchedOff && status.state === 'online';
    drawBuffer({ status, switchedOff, oldest, now });
    drawEntries(recorder.journal());
    drawVault(vault.state(), online);
    drawLease({ vault: vault.state(), online, now });
    drawAdmin({ status, offline, revokedAt });
    const revoked = revokedAt !== null || status.state === 'revoked';
    showGuide({ switchedOff, pending, reloaded, arrived, revoked });
  }

  connectFoot(recorder, vault, toast);
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
  return { recorder, vault };
}

const DONE: Readonly<Record<ItemAction, string>> = {
  reveal: 'Shown, now that its audit entry is durable',
  copy: 'Copied, now that its audit entry is durable',
  share: 'Shared with Kim Okafor, now that its audit entry is durable',
  export: 'Exported, now that its audit entry is durable',
};
const NOT_DONE = 'Refused: its audit entry could not be stored';

/** What a click on an item does: ask the lease, record, and only then show. */
function itemUser(recorder: Recorder, vault: OfflineVault, toast: (sentence: string) => void): UseItem {
  return async (action, { id, scope }) => {
    const opened = await vault.read(id);
    if (!opened.allowed) {
      toast(refusalSentence(opened.reason));
      return null;
    }
    const { name, secret } = opened.item;
    if (!(await becomesDurable(recorder.useItem(action, { id, name, scope })))) {
      toast(NOT_DONE);
      return null;
    }
    const done = action !== 'copy' || (await copyText(secret));
    toast(done ? DONE[action] : 'Recorded, but this browser refused the clipboard');
    return done ? secret : null;
  };
}

function connectFoot(recorder: Recorder, vault: OfflineVault, toast: (sentence: string) => void): void {
  byId('refused-sign-in').prepend(icon('shield'));
  byId('burst').prepend(icon('bolt'));
  byId('refused-sign-in').addEventListener('click', () => {
    void becomesDurable(recorder.refuseSignIn()).then((durable) =>
      toast(durable ? 'Wrong password: the attempt is recorded' : NOT_DONE),
    );
  });
  byId('burst').addEventListener('click', () => {
    const readable = vault.state().items.filter(({ summary }) => summary !== null);
    if (readable.length === 0) {
      toast('Refused: there is nothing that may be read');
      return;
    }
    recorder.burst(BURST, readable).then(
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
