package deep

import "embed"

// added lists the files that are added to packages, with their path below
// GOROOT/src.
var added = []struct{ file, from string }{
	{"runtime/halfopen_order.go", "source/order.go.txt"},
	{"runtime/halfopen_syscalls.go", "source/syscalls.go.txt"},
	{"runtime/halfopen_chance.go", "source/chance.go.txt"},
	{"runtime/halfopen_locks.go", "source/locks.go.txt"},
	{"runtime/halfopen_choice.go", "source/choice.go.txt"},
	{"internal/runtime/maps/halfopen.go", "source/maps.go.txt"},
	{"sync/atomic/halfopen.go", "source/atomic.go.txt"},
	{"internal/sync/halfopen.go", "source/internal_sync.go.txt"},
	{"sync/halfopen.go", "source/sync.go.txt"},
	{"crypto/internal/sysrand/halfopen.go", "source/sysrand.go.txt"},
	{"io/halfopen.go", "source/io.go.txt"},
	{"fmt/halfopen.go", "source/fmt.go.txt"},
	{"net/http/halfopen.go", "source/http.go.txt"},
}

//go:embed source
var sources embed.FS

// edits lists the edits by their purpose.
var edits = append([]edit{
	// A bubble orders its goroutines, from its beginning to its end.
	{file: "runtime/synctest.go", in: "type synctestBubble", text: "deep deepBubble"},
	{file: "runtime/synctest.go", in: "synctestRun", at: "gp.bubble = bubble", how: after, text: "deepOpen(bubble, gp)"},
	{file: "runtime/synctest.go", in: "synctestRun", at: "gp.bubble = nil", text: "deepDepart(bubble, gp)"},
	{file: "runtime/synctest.go", in: "synctestRun", at: "runqput(pp, bubble.main, true)", text: "if !deepEnter(bubble.main) {\nreturn\n}"},
	{file: "runtime/synctest.go", in: "synctest_inBubble", at: "gp.bubble = bubble.(*synctestBubble)", how: after, text: "deepJoin(gp)"},
	{file: "runtime/synctest.go", in: "synctest_inBubble", at: "gp.bubble = nil", text: "deepDepart(gp.bubble, gp)"},

	// A goroutine that becomes runnable waits for its turn.
	{file: "runtime/proc.go", in: "ready", at: "runqput(mp.p.ptr(), gp, next)", text: "if gp.bubble != nil && !deepEnter(gp) {\nreleasem(mp)\nreturn\n}"},
	{file: "runtime/proc.go", in: "newproc", at: "runqput(pp, newg, true)", text: "if newg.bubble != nil && !deepEnter(newg) {\nreturn\n}"},
	// It does not run before its turn, in whatever way it became runnable.
	{file: "runtime/proc.go", in: "schedule", at: "if gp.lockedm != 0", text: "if gp.bubble != nil && !deepPass(gp) {\ngoto top\n}"},
	{file: "runtime/proc.go", in: "exitsyscallNoP", at: "execute(gp, false)", n: 2, how: before, text: "if gp.bubble != nil && pp != nil && !deepPass(gp) {\nschedule()\n}"},
	{file: "runtime/proc.go", in: "exitsyscall", at: "if sched.disable.user && !schedEnabled(gp)", text: "if gp.bubble != nil && !deepIsActive(gp) {\nGosched()\n}"},

	// A goroutine that parks, yields or ends passes its turn on.
	{file: "runtime/proc.go", in: "park_m", at: "bubble := gp.bubble", how: after, text: "deepStay := deepStays(gp.waitreason)"},
	{file: "runtime/proc.go", in: "park_m", at: "schedule()", text: "if bubble != nil && !deepStay {\ndeepLeave(bubble, gp)\n}"},
	{file: "runtime/proc.go", in: "goschedImpl", at: "dropg()", how: after, text: "if gp.bubble != nil && !deepYield(gp, preempted) {\nschedule()\n}"},
	{file: "runtime/proc.go", in: "goyield_m", at: "dropg()", how: after, text: "if gp.bubble != nil && !deepYield(gp, false) {\nschedule()\n}"},
	{file: "runtime/proc.go", in: "goexit0", at: "gdestroy(gp)", text: "bubble := gp.bubble\nif bubble != nil && gp.lockedm != 0 {\ndeepLeave(bubble, gp)\n}"},
	{file: "runtime/proc.go", in: "goexit0", at: "gdestroy(gp)", how: after, text: "if bubble != nil {\ndeepLeave(bubble, gp)\n}"},
	{file: "runtime/coro.go", in: "coroswitch_m", text: "deepFrom := gp"},
	{file: "runtime/coro.go", in: "coroswitch_m", at: "setGNoWB(&mp.curg, gnext)", text: "if bubble != nil {\ndeepSwitch(bubble, deepFrom, gnext)\n}"},
	// A goroutine that waits for the runtime itself does not yield.
	{file: "runtime/mgc.go", in: "GC", at: "Gosched()", n: 2, how: instead, text: "deepGosched()"},
	{file: "runtime/mgc.go", in: "gcStart", at: "Gosched()", how: instead, text: "deepGosched()"},
	{file: "runtime/mgcmark.go", in: "gcAssistAlloc", at: "Gosched()", how: instead, text: "deepGosched()"},

	{file: "runtime/mgc.go", in: "gcStart", at: "semacquire(&work.startSema)", how: instead, text: "deepSemacquire(&work.startSema)"},
	{file: "runtime/mgc.go", in: "gcStart", at: "semacquire(&gcsema)", how: instead, text: "deepSemacquire(&gcsema)"},
	{file: "runtime/mgc.go", in: "gcStart", at: "semacquire(&worldsema)", how: instead, text: "deepSemacquire(&worldsema)"},
	{file: "runtime/mgc.go", in: "gcMarkDone", at: "semacquire(&work.markDoneSema)", how: instead, text: "deepSemacquire(&work.markDoneSema)"},
	{file: "runtime/mgc.go", in: "gcMarkDone", at: "semacquire(&worldsema)", how: instead, text: "deepSemacquire(&worldsema)"},
	{file: "runtime/proc.go", in: "stopTheWorld", at: "semacquire(&worldsema)", how: instead, text: "deepSemacquire(&worldsema)"},
	{file: "runtime/proc.go", in: "stopTheWorldGC", at: "semacquire(&gcsema)", how: instead, text: "deepSemacquire(&gcsema)"},

	// A system call that lost its processor does not stop its bubble for ever.
	{file: "runtime/proc.go", in: "syscallingThread.releaseP", at: "addGSyscallNoP(s.mp)", text: "deepLose(s.gp)"},
	{file: "runtime/proc.go", in: "entersyscallHandleGCWait", at: "addGSyscallNoP(gp.m)", text: "deepLose(gp.m.curg)"},
	{file: "runtime/proc.go", in: "entersyscallblock", at: "handoffp(releasep())", text: "if gp.bubble != nil {\ndeepLeave(gp.bubble, gp)\n}"},
	{file: "runtime/proc.go", in: "sysmon", at: "if retake(now) != 0", text: "deepFree(now)"},
	{file: "runtime/proc.go", in: "sysmon", at: "if debug.schedtrace <= 0 && (sched.gcwaiting.Load() || sched.npidle.Load() == gomaxprocs)", how: instead, text: "if debug.schedtrace <= 0 && deepLostCount.Load() == 0 && (sched.gcwaiting.Load() || sched.npidle.Load() == gomaxprocs)"},

	// Which alternative comes next is a choice.
	{file: "runtime/select.go", in: "selectgo", at: "var casi int", text: "if gp.bubble != nil {\ndeepSelect(gp, scases, pollorder, nsends)\n}"},
	{file: "runtime/sema.go", in: "semrelease1", at: "s, t0, tailtime := root.dequeue(addr)", text: "if getg().bubble != nil {\ndeepHandOff(root, addr)\n}"},
	{file: "runtime/time.go", in: "timers.run", at: "t.unlockAndRun(now, bubble)", text: "if bubble != nil && deepTimers(ts, t, bubble) {\nt.unlock()\ngoto Redo\n}"},
	{file: "internal/runtime/maps/table.go", in: "Iter.Init", at: "it.entryOffset = rand()", how: instead, text: "it.entryOffset = deepStart(m.used, m.dirLen <= 0)"},
	{file: "sync/once.go", in: "Once.doSlow", text: "if deepOpened != 0 && deepCold(o) {\ndefer deepWarm()\n}"},
	// A goroutine may be preempted at operations that others can see.
	{file: "runtime/chan.go", in: "chansend", text: "if getg().bubble != nil {\ndeepPoint()\n}"},
	{file: "runtime/chan.go", in: "chanrecv", text: "if getg().bubble != nil {\ndeepPoint()\n}"},
	{file: "runtime/chan.go", in: "closechan", text: "if getg().bubble != nil {\ndeepPoint()\n}"},
	{file: "runtime/select.go", in: "selectgo", text: "if getg().bubble != nil {\ndeepPoint()\n}"},
	{file: "runtime/time.go", in: "newTimer", text: "if getg().bubble != nil {\ndeepPoint()\n}"},
	{file: "runtime/time.go", in: "stopTimer", text: "if getg().bubble != nil {\ndeepPoint()\n}"},
	{file: "runtime/time.go", in: "resetTimer", text: "if getg().bubble != nil {\ndeepPoint()\n}"},

	// Random numbers come from the bubble.
	{file: "runtime/select.go", in: "selectgo", at: "j := cheaprandn(uint32(norder + 1))", how: instead, text: "j := deepPoll(gp, uint32(norder+1))"},
	{file: "runtime/time.go", in: "timer.maybeAdd", at: "t.rand = cheaprand()", how: instead, text: "if !t.isChan || t.rand == 0 {\nt.rand = deepTimer(getg().bubble)\n}"},
	{file: "runtime/time.go", in: "newTimer", at: "t := new(timeTimer)", how: after, text: "if bubble := getg().bubble; bubble != nil {\nt.rand = deepTimer(bubble)\n}"},
	{file: "runtime/rand.go", in: "rand", text: "if bubble := getg().bubble; bubble != nil {\nreturn deepNumber(&bubble.deep.numbers)\n}"},
	{file: "runtime/rand.go", in: "rand32", text: "if getg().bubble != nil {\nreturn 0\n}"},
	{file: "runtime/rand.go", in: "maps_rand", text: "if getg().bubble != nil {\nreturn 0\n}"},
	{file: "runtime/alg.go", in: "initAlgAES", at: "key[i] = bootstrapRand()", how: instead, text: "key[i] = uint64(i+1) * 0x9e3779b97f4a7c15", only: "1.26"},
	{file: "runtime/alg.go", in: "alginit", at: "hashkey[i] = uintptr(bootstrapRand())", how: instead, text: "hashkey[i] = uintptr(i+1) * 0x9e3779b1", only: "1.26"},
	{file: "internal/runtime/maps/runtime_alg.go", in: "initAlgAES", at: "key[i] = bootstrapRand()", how: instead, text: "key[i] = uint64(i+1) * 0x9e3779b97f4a7c15", only: "1.27"},
	{file: "internal/runtime/maps/runtime_alg.go", in: "AlgInit", at: "hashkey[i] = uintptr(bootstrapRand())", how: instead, text: "hashkey[i] = uintptr(i+1) * 0x9e3779b1", only: "1.27"},
	{file: "runtime/sema.go", in: "internal_sync_nanotime", text: "if bubble := getg().bubble; bubble != nil {\nreturn bubble.now\n}"},
	{file: "runtime/proc.go", in: "internal_sync_runtime_canSpin", text: "if getg().bubble != nil {\nreturn false\n}"},
	{file: "crypto/internal/sysrand/rand.go", in: "Read", text: "if deepRead(b) {\nreturn\n}"},
	{file: "internal/sync/hashtriemap.go", in: "HashTrieMap.initSlow", at: "ht.seed = uintptr(runtime_rand())", how: instead, text: "ht.seed = uintptr(deepSeed())"},
	{file: "sync/pool.go", in: "type Pool", text: "deepKept *deepKept"},
	{file: "sync/pool.go", in: "Pool.Put", text: "if deepOpened != 0 && deepBubbled() {\np.deepPut(x)\nreturn\n}"},
	{file: "sync/pool.go", in: "Pool.Get", text: "if deepOpened != 0 && deepBubbled() {\nreturn p.deepGet()\n}"},

	// Waiting for a lock of the same bubble is durable.
	{file: "runtime/runtime2.go", in: "const waitReasonZero", text: "waitReasonDeepMutexLock\nwaitReasonDeepRWMutexRLock\nwaitReasonDeepRWMutexLock\nwaitReasonDeepSemacquire"},
	{file: "runtime/runtime2.go", in: "var waitReasonStrings", text: "waitReasonDeepMutexLock: \"sync.Mutex.Lock (durable)\",\nwaitReasonDeepRWMutexRLock: \"sync.RWMutex.RLock (durable)\",\nwaitReasonDeepRWMutexLock: \"sync.RWMutex.Lock (durable)\",\nwaitReasonDeepSemacquire: \"semacquire\","},
	{file: "runtime/runtime2.go", in: "var isIdleInSynctest", text: "waitReasonDeepMutexLock: true,\nwaitReasonDeepRWMutexRLock: true,\nwaitReasonDeepRWMutexLock: true,"},
	{file: "runtime/sema.go", in: "semacquire1", at: "root.queue(addr, s, lifo)", text: "reason := deepReason(addr, reason)"},
	{file: "internal/sync/mutex.go", in: "Mutex.Lock", at: "if atomic.CompareAndSwapInt32(&m.state, 0, mutexLocked)", how: instead, text: "if deepOpened == 0 && atomic.CompareAndSwapInt32(&m.state, 0, mutexLocked)"},
	{file: "internal/sync/mutex.go", in: "Mutex.TryLock", at: "if race.Enabled", text: "if deepOpened != 0 {\nm.deepLocked()\n}"},
	{file: "internal/sync/mutex.go", in: "Mutex.Lock", at: "m.lockSlow()", how: instead, text: "if deepOpened != 0 {\nm.deepLock()\n} else {\nm.lockSlow()\n}"},
	{file: "internal/sync/mutex.go", in: "Mutex.lockSlow", at: "if race.Enabled", text: "if deepOpened != 0 {\nm.deepLocked()\n}"},
	{file: "internal/sync/mutex.go", in: "Mutex.Unlock", at: "if new != 0", how: instead, text: "if new != 0 || deepOpened != 0"},
	{file: "internal/sync/mutex.go", in: "Mutex.unlockSlow", text: "if deepOpened != 0 {\ndeepUnlocked(&m.sema, new>>mutexWaiterShift != 0)\nif new == 0 {\ndeepPoint()\nreturn\n}\n}"},
	{file: "internal/sync/mutex.go", in: "Mutex.TryLock", text: "if deepOpened != 0 {\ndeepPoint()\n}"},
	{file: "internal/sync/mutex.go", in: "Mutex.unlockSlow", at: "runtime_Semrelease(&m.sema, false, 2)", how: after, text: "if deepOpened != 0 {\ndeepPoint()\n}"},
	{file: "sync/rwmutex.go", in: "RWMutex.RLock", at: "if rw.readerCount.Add(1) < 0", how: instead, text: "if r := rw.readerCount.Add(1); r < 0 || deepOpened != 0"},
	{file: "sync/rwmutex.go", in: "RWMutex.RLock", at: "runtime_SemacquireRWMutexR(&rw.readerSem, false, 0)", how: instead, text: "rw.deepRLock(r)"},
	{file: "sync/rwmutex.go", in: "RWMutex.TryRLock", at: "if rw.readerCount.CompareAndSwap(c, c+1)", how: within, text: "if deepOpened != 0 {\ndeepReader(&rw.writerSem, true)\n}"},
	{file: "sync/rwmutex.go", in: "RWMutex.RUnlock", at: "if r := rw.readerCount.Add(-1); r < 0", how: instead, text: "if r := rw.readerCount.Add(-1); r < 0 || deepOpened != 0"},
	{file: "sync/rwmutex.go", in: "RWMutex.rUnlockSlow", text: "if deepOpened != 0 {\ndeepReader(&rw.writerSem, false)\nif r >= 0 {\nreturn\n}\n}"},
	{file: "sync/rwmutex.go", in: "RWMutex.rUnlockSlow", at: "if rw.readerWait.Add(-1) == 0", how: instead, text: "if left := rw.readerWait.Add(-1); left > 0 {\nif deepOpened != 0 {\ndeepReaderLeft(&rw.writerSem)\n}\n} else if left == 0"},
}, pointEdits()...)

// pointEdits returns the edits of the methods at whose beginning a goroutine may be
// preempted. (The functions of package sync/atomic are instructions that the compiler
// knows, and cannot be edited.)
func pointEdits() (list []edit) {
	add := func(file, point string, types, methods []string) {
		for _, t := range types {
			for _, m := range methods {
				list = append(list, edit{file: file, in: t + "." + m, text: "if deepOpened != 0 {\n" + point + "()\n}"})
			}
		}
	}
	all := []string{"Load", "Store", "Swap", "CompareAndSwap"}
	add("sync/atomic/type.go", "deepAtomic", []string{"Bool", "Pointer", "Int32", "Int64", "Uint32", "Uint64", "Uintptr"}, all)
	add("sync/atomic/type.go", "deepAtomic", []string{"Int32", "Int64", "Uint32", "Uint64", "Uintptr"}, []string{"Add", "And", "Or"})
	add("sync/atomic/value.go", "deepAtomic", []string{"Value"}, all)
	add("sync/map.go", "deepPoint", []string{"Map"}, append(all, "LoadOrStore", "LoadAndDelete", "CompareAndDelete", "Range", "Clear"))
	add("sync/cond.go", "deepPoint", []string{"Cond"}, []string{"Wait", "Signal", "Broadcast"})
	add("sync/waitgroup.go", "deepPoint", []string{"WaitGroup"}, []string{"Add", "Wait"})
	return list
}
