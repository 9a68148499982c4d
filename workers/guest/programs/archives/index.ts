/** Programs that pack, unpack and check files. */
import type { Program } from '../../sys';
import { md5sum, sha1sum, sha256sum } from './digest';
import { gunzip, gzip, zcat } from './gzip';
import { tar } from './tar';

export const archivePrograms: readonly Program[] = [gunzip, gzip, md5sum, sha1sum, sha256sum, tar, zcat];
