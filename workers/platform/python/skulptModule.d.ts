/** Skulpt puts itself into the global `Sk`. */
declare module 'skulpt/dist/skulpt.min.js';
