/** The version of OCSF that `ocsf` writes, and the profile that gives every class the actor and the device. */
export const OCSF_VERSION = '1.8.0';
export const OCSF_PROFILES = ['host'] as const;

/** The classes of OCSF that we use, with the activities that they have of their own (1.8.0). `Other` is 99. */
export const OCSF_CLASSES = {
  baseEvent: { uid: 0, caption: 'Base Event', categoryUid: 0, category: 'Uncategorized', activities: {} },
  eventLogActivity: {
    uid: 1008,
    caption: 'Event Log Activity',
    categoryUid: 1,
    category: 'System Activity',
    activities: { Delete: 2, Start: 6, Stop: 7 },
  },
  detectionFinding: {
    uid: 2004,
    caption: 'Detection Finding',
    categoryUid: 2,
    category: 'Findings',
    activities: { Create: 1 },
  },
  accountChange: {
    uid: 3001,
    caption: 'Account Change',
    categoryUid: 3,
    category: 'Identity & Access Management',
    activities: { Create: 1, Enable: 2, Disable: 5, Delete: 6 },
  },
  authentication: {
    uid: 3002,
    caption: 'Authentication',
    categoryUid: 3,
    category: 'Identity & Access Management',
    activities: { Logon: 1 },
  },
  entityManagement: {
    uid: 3004,
    caption: 'Entity Management',
    categoryUid: 3,
    category: 'Identity & Access Management',
    activities: { Create: 1, Update: 3, Enroll: 6, Unenroll: 7, Disable: 9, Activate: 10, Resume: 13 },
  },
  userAccessManagement: {
    uid: 3005,
    caption: 'User Access Management',
    categoryUid: 3,
    category: 'Identity & Access Management',
    activities: { 'Assign Privileges': 1, 'Revoke Privileges': 2 },
  },
  groupManagement: {
    uid: 3006,
    caption: 'Group Management',
    categoryUid: 3,
    category: 'Identity & Access Management',
    activities: { Delete: 5, Create: 6 },
  },
  webResourcesActivity: {
    uid: 6001,
    caption: 'Web Resources Activity',
    categoryUid: 6,
    category: 'Application Activity',
    activities: { Create: 1, Read: 2, Update: 3, Export: 7, Share: 8 },
  },
} as const satisfies Record<string, OcsfClass>;

export type OcsfClass = {
  readonly uid: number;
  readonly caption: string;
  readonly categoryUid: number;
  readonly category: string;
  readonly activities: { readonly [caption: string]: number };
};

export type OcsfClassName = keyof typeof OCSF_CLASSES;

const OTHER = 99;

/** The number of an activity in a class. */
export function activityUid({ activities }: OcsfClass, caption: string): number {
  return Object.hasOwn(activities, caption) ? activities[caption]! : OTHER;
}
