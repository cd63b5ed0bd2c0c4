def link_of(given, where, folder):
    raise NotImplementedError


def listener_of(given, where, folder):
    raise NotImplementedError
