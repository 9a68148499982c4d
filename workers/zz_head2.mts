import { bootedHost } from '/work/main/workers/platform/node/testing';
const t=Date.now(); const log=(...a:unknown[])=>console.log(((Date.now()-t)/1000).toFixed(1),...a);
const b=await bootedHost({});
const which=process.argv[2]??'linux';
const dec=new TextDecoder(); let out='';
const p=b.host.run(`sed -i 's/ quiet//' /etc/xen/${which}; xm create -c /etc/xen/${which} ${process.argv[3]??''}`,Number(process.argv[4]??8000),{stdout:(x:Uint8Array)=>{out+=dec.decode(x)},stderr:(x:Uint8Array)=>{out+=dec.decode(x)}}).catch((e:unknown)=>log('ERR',e));
await p;
log(out);
const r=await b.exec('xm list; xm dmesg | tail -3; xenstore-ls /local/domain/0/backend');
log(r.output, b.bugs);
const hv=(b.host as any).host.hypervisor; const d=hv.findDomain(1);
if(d){ console.log('vcpu', d.vcpus[0].unit.flags, d.vcpus[0].isUpcallPending, 'vector', d.callbackVector, 'timer', !!d.vcpus[0].singleshotTimer, Array.from({length:20},(_, p)=>p+':'+JSON.stringify(d.evtchns.at(p))+(d.sharedInfo.isPending(p)?'P':'')+(d.sharedInfo.isMasked(p)?'M':'')).join('\n'));}
b.close(); process.exit(0);
