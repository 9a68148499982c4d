import { bootedHost } from '/work/main/workers/platform/node/testing';
const t=Date.now(); const log=(...a:unknown[])=>console.log(((Date.now()-t)/1000).toFixed(1),...a);
const b=await bootedHost({});
log('booted'); 
const which=process.argv[2]??'linux';
log(await b.exec('ls -la /boot /home/xen/; df -h /; xm list'));
log(await b.exec(`xm create /etc/xen/${which}`));
for (let i=0;i<Number(process.argv[3]??6);i++){ await b.advance(1000); log('v',b.host.host?.clock?.nowNs); }
log((await b.exec('xm list; xm dmesg | tail -5; tail -5 /var/log/xen/xend.log; xenstore-ls /local/domain/1 | head -60')).output);
log('bugs',b.bugs);
b.close(); process.exit(0);
