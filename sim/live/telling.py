from sim.world.story import Story
def tell(world,start,steps,slow): raise NotImplementedError
