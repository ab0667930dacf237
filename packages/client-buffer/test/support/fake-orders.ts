import {
  LEASE_NOTE,
  PURGE_NOTE,
  signStatement,
  utf8Text,
  type Bytes,
  type NoteSigner,
  type Origin,
} from '@tachograph/wire';

/** What the fake ingest hands out besides receipts: leases, and directives until they are confirmed. */
export class FakeOrders {
  terms = { blockAfterSeconds: 72 * 3600, wipeAfterSeconds: 14 * 86_400 };
  scopes: readonly string[] = ['*'];
  readonly #open = new Map<string, { origin: Origin; note: string }>();

  async order(
    origin: Origin,
    by: NoteSigner,
    { id = 'purge-1', scopes = ['*'] as readonly string[], reason = 'left the company' } = {},
  ): Promise<string> {
    const note = await signStatement(
      PURGE_NOTE,
      { origin, id, scopes, reason, issued: Date.parse('2026-11-22T10:00:00Z') },
      by,
    );
    this.#open.set(id, { origin, note });
    return note;
  }

  /** Hands out `note` whatever it is, as `id`. */
  plant(id: string, origin: Origin, note: string): void {
    this.#open.set(id, { origin, note });
  }

  openFor(origin: Origin): string[] {
    return [...this.#open.values()].filter((order) => order.origin === origin).map(({ note }) => note);
  }

  /** Takes back what `leaves` say was carried out. */
  confirm(leaves: readonly Bytes[]): void {
    for (const leaf of leaves) {
      const text = utf8Text(leaf) ?? '';
      if (!text.includes('"action":"cache.purged"')) continue;
      const { data } = JSON.parse(text) as { data: { directive?: string } };
      this.#open.delete(data.directive ?? '');
    }
  }

  lease(origin: Origin, nonce: string, lessor: NoteSigner): Promise<string> {
    return signStatement(LEASE_NOTE, { origin, nonce, ...this.terms, scopes: this.scopes }, lessor);
  }
}
