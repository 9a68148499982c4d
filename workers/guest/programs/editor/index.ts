/** Editors. */
import type { Program } from '../../sys';
import { vi, view, vim } from './vi';

export const editorPrograms: readonly Program[] = [vi, view, vim];
