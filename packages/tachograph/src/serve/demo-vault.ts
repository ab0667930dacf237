/** What the demo's vault holds. All of it is made up: it opens nothing, and none of it ever enters an event. */
export const DEMO_VAULTS = [
  {
    id: 'v_production',
    name: 'Production',
    items: [
      item('i_11', 'database', 'Orders database', 'orders_rw', 'demo-Velvet-Quarry-92'),
      item('i_12', 'cloud', 'Cloud root account', 'root@acme.example', 'demo-Harbour-Lantern-07'),
      item('i_13', 'key', 'Payments API key', 'acct_live_acme', 'demo-sk-51Kd0-example'),
      item('i_14', 'globe', 'Domain registrar', 'hostmaster', 'demo-Cobalt-Meadow-33'),
    ],
  },
  {
    id: 'v_finance',
    name: 'Finance',
    items: [
      item('i_21', 'bank', 'Company bank', 'acme-treasury', 'demo-Willow-Signet-58'),
      item('i_22', 'people', 'Payroll', 'payroll-admin', 'demo-Ember-Orchard-14'),
      item('i_23', 'card', 'Corporate card', 'A. Ruiz', '4000 0000 0000 0002'),
    ],
  },
  {
    id: 'v_office',
    name: 'Office',
    items: [
      item('i_31', 'wifi', 'Office Wi-Fi', 'acme-staff', 'demo-tin-otter-paper-sky'),
      item('i_32', 'mail', 'Press mailbox', 'press@acme.example', 'demo-Marble-Finch-41'),
    ],
  },
] as const;

function item(id: string, kind: string, name: string, username: string, secret: string) {
  return { id, kind, name, username, secret };
}
