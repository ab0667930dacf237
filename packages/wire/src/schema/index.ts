export { CATALOGUE, type ActionKind, type CatalogueAction, type CatalogueEntry } from './catalogue.ts';
export { auditEventSchema, parseLeaf } from './event.ts';
