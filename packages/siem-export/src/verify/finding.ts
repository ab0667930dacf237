/** What may be wrong with a device's log in a feed, the gravest first. `code` is the exit code of `tachograph verify`. */
export const FINDINGS = {
  altered: { code: 11, says: 'is not what the device signed' },
  forged: { code: 12, says: 'has a checkpoint that the device did not sign' },
  missing: { code: 13, says: 'is missing' },
  doubled: { code: 14, says: 'stands more than once' },
  disordered: { code: 15, says: 'stands at another place than its own' },
  unproven: { code: 16, says: 'is there, and cannot be checked' },
  unsigned: { code: 17, says: 'stands behind the last checkpoint: the feed ends inside an append' },
  erased: { code: 18, says: "was erased, as the tenant's log says" },
} as const;

export type FindingKind = keyof typeof FINDINGS;

/** Indices from `from` to before `to` of one log. */
export type Finding = {
  readonly kind: FindingKind;
  readonly from: number;
  readonly to: number;
  /** What is known beyond the kind; where it was read. */
  readonly detail: string | null;
};

/** The kinds in the order of the table. */
export const FINDING_KINDS = Object.keys(FINDINGS) as FindingKind[];

/** Joins findings of one kind that touch, so that ten thousand missing entries are one line. */
export function mergedFindings(findings: readonly Finding[]): Finding[] {
  const sorted = findings.toSorted(
    (a, b) => FINDING_KINDS.indexOf(a.kind) - FINDING_KINDS.indexOf(b.kind) || a.from - b.from || a.to - b.to,
  );
  const merged: Finding[] = [];
  for (const finding of sorted) {
    const last = merged.at(-1);
    if (last !== undefined && last.kind === finding.kind && finding.from <= last.to) {
      merged[merged.length - 1] = { ...last, to: Math.max(last.to, finding.to) };
    } else merged.push(finding);
  }
  return merged;
}
