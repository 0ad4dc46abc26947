class Ui:
    def __init__(self, *a):
        pass

    def handle(self, request):
        raise NotImplementedError
