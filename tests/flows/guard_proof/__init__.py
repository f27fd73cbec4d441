"""Random lives of an adapter, to see whether a message ever arrives where it must not.

listeners.py   authorities, EHRs and a register on loopback that keep every byte they get
spy.py         every connection that this process opens
world.py       what is true outside the adapter, and what may arrive where, in words of its own
adapter_rig.py the adapter under trial, and the seams at which it can be spoilt
play.py        what may happen, and what must hold after each thing that happens
spoilt.py      adapters with a fault, each of which the same plays must find
"""
