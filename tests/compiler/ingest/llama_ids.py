# SPDX-License-Identifier: Apache-2.0
"""Token ids as llama.cpp gives them, through the library inside the xllamacpp package (not needed to run the tests)."""
import ctypes
import pathlib

import xllamacpp


class Parameters(ctypes.Structure):
    """llama_model_params of the package's version; the rest of it is zero flags."""
    _fields_ = [("devices", ctypes.c_void_p), ("buffer_types", ctypes.c_void_p), ("gpu_layers", ctypes.c_int32),
                ("split_mode", ctypes.c_int), ("load_mode", ctypes.c_int), ("lazy_mode", ctypes.c_int),
                ("main_gpu", ctypes.c_int32), ("tensor_split", ctypes.c_void_p), ("progress", ctypes.c_void_p),
                ("progress_data", ctypes.c_void_p), ("overrides", ctypes.c_void_p), ("vocab_only", ctypes.c_bool),
                ("flags", ctypes.c_bool * 15)]


LIBRARY = ctypes.CDLL(str(next(pathlib.Path(xllamacpp.__file__).parent.glob("*.so"))))
LIBRARY.llama_model_default_params.restype = Parameters
LIBRARY.llama_model_load_from_file.argtypes = [ctypes.c_char_p, Parameters]
LIBRARY.llama_model_load_from_file.restype = ctypes.c_void_p
LIBRARY.llama_model_get_vocab.argtypes = [ctypes.c_void_p]
LIBRARY.llama_model_get_vocab.restype = ctypes.c_void_p
LIBRARY.llama_tokenize.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int32, ctypes.POINTER(ctypes.c_int32),
                                   ctypes.c_int32, ctypes.c_bool, ctypes.c_bool]
LIBRARY.llama_vocab_n_tokens.argtypes = [ctypes.c_void_p]
LIBRARY.llama_vocab_is_eog.argtypes = [ctypes.c_void_p, ctypes.c_int32]
LIBRARY.llama_vocab_is_eog.restype = ctypes.c_bool
SILENCE = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)(lambda *_: None)
LIBRARY.llama_log_set(SILENCE, None)
LIBRARY.llama_backend_init()


class Vocabulary:
    def __init__(self, path):
        parameters = LIBRARY.llama_model_default_params()
        parameters.vocab_only = True
        model = LIBRARY.llama_model_load_from_file(str(path).encode(), parameters)
        if not model:
            raise ValueError(f"llama.cpp cannot open {path}")
        self.handle = LIBRARY.llama_model_get_vocab(model)

    def ids(self, text, parse_special=True):
        data = text.encode()
        room = 2 * len(data) + 16
        buffer = (ctypes.c_int32 * room)()
        count = LIBRARY.llama_tokenize(self.handle, data, len(data), buffer, room, True, parse_special)
        assert count >= 0, count
        return list(buffer[:count])

    def end_of_generation(self):
        count = LIBRARY.llama_vocab_n_tokens(self.handle)
        return [token for token in range(count) if LIBRARY.llama_vocab_is_eog(self.handle, token)]
