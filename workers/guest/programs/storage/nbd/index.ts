/** Network block devices: volumes of one machine that others use over TCP. */
import type { Program } from '../../../sys';
import { nbdClient } from './client';
import { nbdReserve } from './reserve';
import { nbdServer } from './server';

export const nbdPrograms: readonly Program[] = [nbdClient, nbdServer, nbdReserve];
