import { openAuditBuffer } from '@tachograph/client-buffer';
import { cacheHooks } from './cache-hooks.ts';
import { startConfig } from './config.ts';
import { exposeHooks, reachPurgeStep } from './demo-hooks.ts';
import { keepEnrolled } from './enrolment.ts';
import { DEMO_EVENTS } from './events.ts';
import { installNetworkSwitch } from './network-switch.ts';
import { showPage } from './page.ts';
import { sealedItems } from './sealed-items.ts';

// The order matters: the switch stands between the page and the network before anything can use it.
const network = installNetworkSwitch(window);
const items = sealedItems();
const config = await startConfig();
const audit = openAuditBuffer({
  endpoint: config.endpoint ?? location.origin,
  authority: config.authority,
  tenant: config.tenant,
  ...(config.directiveKey === undefined ? {} : { directiveKey: config.directiveKey }),
  events: DEMO_EVENTS,
  app: { name: 'vault-demo', version: '0.1.0' },
  installation: { label: 'Demo browser' },
  cache: cacheHooks(items, reachPurgeStep),
});
const shown = showPage(audit, network, items);
keepEnrolled(audit, network);
// Whoever has a network again is told so by the browser; this page's switch stands for that network.
network.onChange(() => {
  if (!network.isOff()) window.dispatchEvent(new Event('online'));
});

exposeHooks(audit, shown);

// The page itself survives the loss of the network, too. The development server has no worker to register.
if (import.meta.env.PROD && 'serviceWorker' in navigator) {
  await navigator.serviceWorker.register('./service-worker.js', { scope: './' });
}
