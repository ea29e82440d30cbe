# SPDX-License-Identifier: Apache-2.0
"""How work ends before its time, and what is left of it: nothing."""
import asyncio
import ctypes
import gc
import os
import subprocess
import sys
import threading
import unittest

import llcuda
import settling
import toys
from llcuda import _library


def live_objects():
    return ctypes.CDLL(os.path.join(_library.FOLDER, "lib", "libllcuda-hostsim.so")).llcudaHostsimLiveObjects()


class EndingTest(unittest.TestCase):

    def test_closed_streams(self):
        with toys.engine() as engine:
            for i in range(1000):
                stream = engine.stream("abc", ignore_stop=True)
                if i % 3 == 0:
                    next(stream)
                if i % 2:
                    stream.close()
                    self.assertEqual(list(stream), [])
                del stream
            stats = settling.settled(engine)
            self.assertEqual(stats.cancelled + stats.done, 1000)
            self.assertGreater(stats.cancelled, 0)
            self.assertEqual(stats.free_pages + stats.cached_pages, stats.pages)
            # The thread that reads events forgets the last one too.
            settling.until(lambda: not engine._requests.answers)

    # An event loop that ends with a request still running leaves the engine to others.
    def test_forgotten_loop(self):
        async def forget(engine):
            stream = engine.astream("abc", ignore_stop=True)
            await stream.__anext__()
            return stream

        with toys.engine() as engine:
            stream = asyncio.run(forget(engine))
            del stream
            settling.settled(engine)
            self.assertTrue(engine.generate("x", max_tokens=2, temperature=0).text)

    def test_nothing_is_left(self):
        def use():
            engine = toys.engine()
            engine.generate("abc", max_tokens=2)
            with engine.session() as session:
                session.generate("abc", max_tokens=2)
            if threading.active_count() % 2:
                engine.close()

        use()
        gc.collect()
        before = live_objects(), len(os.listdir("/proc/self/fd")), threading.active_count()
        for _ in range(100):
            use()
        gc.collect()
        self.assertEqual((live_objects(), len(os.listdir("/proc/self/fd")), threading.active_count()), before)

    def test_fork(self):
        with toys.engine() as engine:
            read, write = os.pipe()
            child = os.fork()
            if child == 0:
                said = b"nothing"
                try:
                    engine.generate("abc", max_tokens=1)
                except llcuda.UsageError as error:
                    said = str(error).encode()
                finally:
                    os.write(write, said)
                    os._exit(0)
            os.waitpid(child, 0)
            self.assertIn(b"forked", os.read(read, 4096))
            os.close(read)
            os.close(write)
            self.assertTrue(engine.generate("abc", max_tokens=2, temperature=0).text)

    # A program that ends with requests running and nothing closed ends, quickly and quietly.
    def test_end_of_program(self):
        script = "import toys\ne = toys.engine()\ns = e.stream('abc', ignore_stop=True)\nnext(s)\nprint('last')"
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60,
                              cwd=os.path.dirname(os.path.abspath(__file__)))
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "last\n", ""))


IMPORT = """
import sys, time
seen = []
sys.addaudithook(lambda event, given: seen.append((event, given[0])) if event == "open" or "socket" in event else None)
began = time.process_time()
import llcuda
spent = time.process_time() - began
import os
own = (os.path.dirname(llcuda.__file__), sys.base_prefix, sys.prefix, os.path.realpath(os.path.dirname(os.__file__)))
real = tuple(map(os.path.realpath, own))
print([(event, path) for event, path in seen if event != "open"
       or not os.path.realpath(str(path)).startswith(own + real + (os.environ["SOURCE"],))])
print(spent)
print("numpy" in sys.modules, "asyncio" in sys.modules, "torch" in sys.modules)
"""


class ImportTest(unittest.TestCase):
    def test_import_is_quiet_and_quick(self):
        environment = dict(os.environ)
        environment["SOURCE"] = os.path.dirname(os.path.realpath(llcuda.errors.__file__))
        runs = [subprocess.run([sys.executable, "-c", IMPORT], env=environment, capture_output=True, text=True)
                for _ in range(3)]
        foreign, _, modules = runs[0].stdout.splitlines()
        self.assertEqual((foreign, modules), ("[]", "False False False"), runs[0].stderr)
        # Of the processor: others run beside the test.
        self.assertLess(min(float(run.stdout.splitlines()[1]) for run in runs), 0.15)


if __name__ == "__main__":
    unittest.main()
