import type { ControlContext } from '../api-context.ts';
import type { Route } from '../http/route.ts';
import { adminTokenRoutes } from './admin-token-routes.ts';
import { approveRoute } from './approve.ts';
import { deviceListRoutes } from './devices.ts';
import { enrolmentTokenRoutes } from './enrolment-tokens.ts';
import { forkRoutes } from './forks.ts';
import { offboardingRoutes } from './offboarding.ts';
import { policyTestRoute } from './policy-test.ts';
import { policyRoutes } from './policies.ts';
import { revokeRoutes } from './revoke-routes.ts';
import { tenantRoutes } from './tenants.ts';

/** The control API. */
export function controlRoutes(context: ControlContext): Route[] {
  return [
    ...tenantRoutes(context),
    ...policyRoutes(context),
    policyTestRoute(context),
    ...enrolmentTokenRoutes(context),
    ...deviceListRoutes(context),
    approveRoute(context),
    ...revokeRoutes(context),
    ...offboardingRoutes(context),
    ...forkRoutes(context),
    ...adminTokenRoutes(context),
  ];
}
