import time, sys, functools
T0=time.perf_counter()
import rig.cli.main, rig.dial, rig.far_end, rig.partners.lig, rig.partners.hosts
from rig.lab import current
print("imports", time.perf_counter()-T0)
from rig.bench_files import load
import rig.owner, drivers.namespace as ns, rig.partners.process as pr, drivers.firewall as fw, rig.far_end as fe, subprocess, drivers.pppd as pp, rig.near_end as ne, rig.partners.hosts as ho, drivers.program as prog, drivers.conntrack as ct, rig.console_firewall as cf
import os
def wrap(o,n):
    f=getattr(o,n)
    @functools.wraps(f)
    def g(*a,**k):
        t=time.perf_counter()
        try: return f(*a,**k)
        finally: print(f"{t-T0:7.3f} {os.getpid()} {o.__name__ if hasattr(o,'__name__') else o}.{n} {time.perf_counter()-t:.3f} {str(a[1:3])[:70]}", flush=True, file=open('/tmp/tl','a'))
    setattr(o,n,g)
for n in "create remove join add_address add_route forward set_up impair mtu addresses".split(): wrap(ns.NetworkNamespace,n)
wrap(fw,"apply"); wrap(fw,"save"); wrap(fw,"back_end")
wrap(pr.PartnerProcess,"__init__"); wrap(pr.PartnerProcess,"wait_ready"); wrap(pr.PartnerProcess,"stop")
wrap(prog.Program,"__init__"); wrap(pp.Pppd,"__init__"); wrap(pp.Pppd,"stop"); wrap(fe.FarEnd,"__init__"); wrap(fe.FarEnd,"_join"); wrap(fe.FarEnd,"_lig_plan"); wrap(fe.FarEnd,"_addresses")
wrap(ne.NearEnd,"open"); wrap(ne.NearEnd,"stop"); wrap(ct,"flush_address")
wrap(ho.Today if hasattr(ho,'Today') else __import__('rig.partners.tls_server',fromlist=['x']).Today,"__init__")
wrap(subprocess.Popen,"__init__")
import rig.partners.lig as li
wrap(li.Lig,"prepare"); wrap(li.Lig,"start"); wrap(li.Lig,"stop")
wrap(rig.owner.Owner,"close")
from rig import dial as job
from rig.progress import Progress
b=load("loopback-instant")
t=time.perf_counter()
v=job.run(b, job.DialOptions(("1-800-555-0100",)), Progress())
print("run", time.perf_counter()-t)
print(open('/tmp/tl').read())
