import { bootedHost } from './workers/platform/node/testing';
const m = await bootedHost();
for (const line of (await import('node:fs')).readFileSync(0,'utf8').split('\n')) {
  if (!line) continue;
  const t=performance.now();
  const {status,output}=await m.exec(line, 20000);
  console.log('dom0# '+line); process.stdout.write(output); if(output&&!output.endsWith('\n'))console.log('<noeol>'); if(status)console.log('status '+status);
  if(performance.now()-t>1000) console.error('slow', line, performance.now()-t);
}
for(const b of m.bugs) console.error('BUG',b);
process.exit(0);
