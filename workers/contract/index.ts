export type * from './console';
export type * from './domain';
export type * from './errors';
export type * from './events';
export type * from './files';
export type * from './lab';
export type * from './migration';
export type * from './policy';
